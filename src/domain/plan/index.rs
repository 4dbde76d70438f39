//! Where a task stands in the list of tasks, by its id: one look instead of a binary search.
//!
//! It is only looked up, never gone through, so that no order depends on it.

use std::sync::Arc;

use crate::domain::model::task::TaskSpec;

/// Most places that are tried before the search goes another way: nobody can choose ids that make
/// every look a long one.
const TRIES_MAX: usize = 32;

/// Marks a place that nobody took.
const FREE: u32 = u32::MAX;

/// The positions of tasks in a list that is sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// A power of two, at least twice the number of tasks.
    slots: Vec<u32>,
}

impl Index {
    /// Indexes `specs`, which are sorted by id without duplicates.
    pub(super) fn of(specs: &[Arc<TaskSpec>]) -> Self {
        let mut index = Self { slots: vec![FREE; (specs.len() * 2).next_power_of_two().max(2)] };
        for (position, spec) in specs.iter().enumerate() {
            let free = index
                .places(spec.id.value.as_str())
                .find(|place| index.slots.get(*place) == Some(&FREE));
            let slot = free.and_then(|place| index.slots.get_mut(place));
            if let (Some(slot), Ok(position)) = (slot, u32::try_from(position)) {
                *slot = position;
            }
        }
        index
    }

    /// Finds the position of the task with this id in the list that was indexed.
    pub(super) fn find(&self, specs: &[Arc<TaskSpec>], id: &str) -> Option<usize> {
        for place in self.places(id) {
            let position = *self.slots.get(place)?;
            if position == FREE {
                return None;
            }
            let position = position as usize;
            if specs.get(position).is_some_and(|spec| spec.id.value.as_str() == id) {
                return Some(position);
            }
        }
        specs.binary_search_by(|spec| spec.id.value.as_str().cmp(id)).ok()
    }

    /// Returns the places in which an id may stand, in order.
    fn places(&self, id: &str) -> impl Iterator<Item = usize> + use<> {
        // FNV-1a, its upper half mixed in.
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let first = usize::try_from((hash ^ (hash >> 32)) & 0xffff_ffff).unwrap_or_default();
        let mask = self.slots.len().wrapping_sub(1);
        (0..TRIES_MAX).map(move |n| first.wrapping_add(n) & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::id::TaskId;

    fn specs(ids: &[String]) -> Vec<Arc<TaskSpec>> {
        let spec = |id: &String| Arc::new(TaskSpec::new(TaskId::parse(id).unwrap(), "a.md"));
        ids.iter().map(spec).collect()
    }

    #[test]
    fn every_task_is_found_and_no_other() {
        for n in [0, 1, 2, 3, 50, 5_000] {
            let ids: Vec<String> = (0..n).map(|n| format!("T-{n:05}")).collect();
            let specs = specs(&ids);
            let index = Index::of(&specs);
            for (position, id) in ids.iter().enumerate() {
                assert_eq!(index.find(&specs, id), Some(position), "{id} of {n}");
            }
            for id in ["", "T", "T-", "T-99999", "t-00000", "T-000000"] {
                assert_eq!(index.find(&specs, id), None, "{id} of {n}");
            }
        }
    }

    #[test]
    fn ids_that_all_want_one_place_are_found_nevertheless() {
        let ids: Vec<String> = (0..200).map(|n| format!("a{n:03}")).collect();
        let specs = specs(&ids);
        // As if the table had no room at all.
        let index = Index { slots: vec![0; 2] };
        for (position, id) in ids.iter().enumerate() {
            assert_eq!(index.find(&specs, id), Some(position), "{id}");
        }
        assert_eq!(index.find(&specs, "b"), None);
    }
}
