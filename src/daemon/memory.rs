//! Memory that is free goes back to the system: what lives for ever would else keep what its largest round once needed.

/// Gives back what the allocator holds free. It takes about a millisecond, so it is for when nothing is waited for.
///
/// Only glibc keeps such memory and has a way to ask for it; with other C libraries nothing is done.
pub fn release() {
    #[cfg(test)]
    RELEASED.set(RELEASED.get() + 1);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the C library's own call, with no safe form in any crate")]
    // SAFETY: `malloc_trim` may be called at any time from any thread; what is in use is not touched.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
thread_local! {
    /// How often this thread has given back.
    pub(super) static RELEASED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::release;

    const MEBIBYTE: usize = 1 << 20;

    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    #[test]
    fn what_is_free_in_the_middle_of_the_heap_goes_back() {
        // Small pieces, one of 64 kept: what is free lies between those that are not.
        let mut pieces: Vec<Option<Box<[u8]>>> =
            (0..16_384).map(|_| Some(vec![1; 8 * 1024].into_boxed_slice())).collect();
        pieces.iter_mut().enumerate().filter(|(at, _)| at % 64 != 0).for_each(|(_, piece)| *piece = None);
        let before = resident();
        release();
        let after = resident();
        assert!(after + 64 * MEBIBYTE < before, "{before} bytes before, {after} after");
        assert!(pieces.iter().flatten().all(|piece| piece[0] == 1));
    }
}
