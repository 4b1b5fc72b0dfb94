//! Many small groups in one list: thousands of lists of one entry each would be read from all over memory.

/// Entries by the number of their group.
pub(super) struct Grouped<T> {
    entries: Vec<T>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Grouped { entries: Vec::new(), ends: Vec::new() }
    }
}

impl<T> Grouped<T> {
    /// Groups entries by their numbers, which are below `count`; those of one group keep their order.
    pub fn of(count: usize, mut numbered: Vec<(usize, T)>) -> Grouped<T> {
        numbered.sort_by_key(|(number, _)| *number);
        let mut ends = vec![0; count];
        numbered.iter().for_each(|(number, _)| ends[*number] += 1);
        (1..count).for_each(|number| ends[number] += ends[number - 1]);
        Grouped { entries: numbered.into_iter().map(|(_, entry)| entry).collect(), ends }
    }

    /// Adds a group, unless nothing is in it.
    pub fn push(&mut self, group: impl IntoIterator<Item = T>) {
        self.entries.extend(group);
        if self.ends.last().copied().unwrap_or_default() < self.entries.len() {
            self.ends.push(self.entries.len());
        }
    }

    /// One group.
    pub fn get(&self, number: usize) -> &[T] {
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[begin..self.ends[number]]
    }

    /// All groups.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[T]> {
        (0..self.ends.len()).map(|number| self.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_the_number_of_their_group_in_the_order_given() {
        let grouped = Grouped::of(4, vec![(2, "a"), (0, "b"), (2, "c")]);
        let groups: Vec<&[&str]> = grouped.iter().collect();
        assert_eq!(groups, [&["b"][..], &[], &["a", "c"], &[]]);
        assert_eq!(Grouped::<u8>::of(0, Vec::new()).iter().count(), 0);
    }

    #[test]
    fn a_group_of_nothing_is_none() {
        let mut grouped = Grouped::default();
        [vec![1, 2], vec![], vec![3]].into_iter().for_each(|group| grouped.push(group));
        let groups: Vec<&[i32]> = grouped.iter().collect();
        assert_eq!(groups, [&[1, 2][..], &[3]]);
    }
}
