//! Who stands beside whom: one list per task, all in one piece of memory.
//!
//! Compressed sparse rows, so that a plan of 10,000 tasks is copied with two calls of `memcpy`.

use super::TaskIndex;

/// One sorted list of tasks for each task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Adjacency {
    /// Where the list of each task starts in `items`, and at last where the last one ends.
    starts: Vec<u32>,
    items: Vec<TaskIndex>,
}

impl Adjacency {
    /// Packs `lists`, each sorted and without repetitions.
    pub(super) fn pack(mut lists: Vec<Vec<TaskIndex>>) -> Self {
        let mut starts = Vec::with_capacity(lists.len() + 1);
        let mut items = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in &mut lists {
            list.sort_unstable();
            list.dedup();
            starts.push(offset(items.len()));
            items.append(list);
        }
        starts.push(offset(items.len()));
        Self { starts, items }
    }

    /// Returns the list of `task`.
    pub(super) fn of(&self, task: TaskIndex) -> &[TaskIndex] {
        let start = self.start(task.position());
        let end = self.start(task.position() + 1);
        self.items.get(start..end).unwrap_or_default()
    }

    /// Gives `task` another list, which is sorted and without repetitions.
    pub(super) fn set(&mut self, task: TaskIndex, list: &[TaskIndex]) {
        let (start, end) = (self.start(task.position()), self.start(task.position() + 1));
        let old = end.saturating_sub(start);
        self.items.splice(start..end, list.iter().copied());
        for later in self.starts.iter_mut().skip(task.position() + 1) {
            *later = (*later - offset(old)) + offset(list.len());
        }
    }

    fn start(&self, position: usize) -> usize {
        self.starts.get(position).map_or(self.items.len(), |start| *start as usize)
    }
}

fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(numbers: &[usize]) -> Vec<TaskIndex> {
        numbers.iter().copied().map(TaskIndex::new).collect()
    }

    #[test]
    fn a_list_is_changed_in_place() {
        let lists = [&[2, 1, 1][..], &[], &[0], &[]];
        let mut all = Adjacency::pack(lists.iter().map(|list| tasks(list)).collect());
        for (at, list) in [(1, &[0, 2, 3][..]), (0, &[]), (3, &[1]), (1, &[2])] {
            all.set(TaskIndex::new(at), &tasks(list));
            assert_eq!(all.of(TaskIndex::new(at)), tasks(list));
        }
        let packed = [&[][..], &[2], &[0], &[1]];
        assert_eq!(all, Adjacency::pack(packed.iter().map(|list| tasks(list)).collect()));
    }
}
