//! The quickstart on a simulated engine: what `make demo` shows where no Docker engine can run. The manifest, the
//! controllers and what they print are the real ones; the containers, their health and the time are not.
//!
//! usage: cargo run --example simulated (in the folder of this package)

mod host;
mod story;

use evenkeel::{cli::output::Output, engine::clock::Clock, engine::clock::SystemClock};
use host::Host;
use std::{
    io,
    process::ExitCode,
    sync::{Arc, Mutex},
};

fn main() -> ExitCode {
    let told = virtual_time(async {
        let now = SystemClock::start().now();
        let host = Host::new(now, Arc::new(Mutex::new(io::stdout())), Output::of_process().data_style)?;
        story::tell(&host).await
    });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs with a clock that jumps to whatever is waited for next.
fn virtual_time<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel::{cli::render::style::Style, model::units::Timestamp};

    #[test]
    fn the_story_goes_as_it_is_told() {
        let page = Arc::new(Mutex::new(Vec::new()));
        let told = virtual_time(async {
            let host = Host::new(Timestamp(1_795_000_000_000), page.clone(), Style::PLAIN)?;
            story::tell(&host).await
        });
        let text = String::from_utf8(page.lock().unwrap().clone()).unwrap();
        assert_eq!(told, Ok(()), "{text}");
        insta::assert_snapshot!(text);
    }
}
