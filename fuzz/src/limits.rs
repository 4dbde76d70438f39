//! The limits of one input: processor time of its thread, and memory beyond what was there before.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Most time for one input.
const TIME_MAX: Duration = Duration::from_millis(100);

/// Most memory for one input.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// An input that takes too long is tried so often: the machine may have had other things to do.
const TRIES: usize = 3;

/// Runs `property`, and panics where it takes more than the limits.
pub(crate) fn within(property: impl Fn()) {
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let (before, started) = (COUNTER.used.load(Relaxed), processor_time());
        COUNTER.most.store(before, Relaxed);
        property();
        let took = processor_time().saturating_sub(started);
        let bytes = COUNTER.most.load(Relaxed).saturating_sub(before);
        assert!(bytes <= BYTES_MAX, "it takes {bytes} bytes, more than {BYTES_MAX}");
        least = least.min(took);
        if least <= TIME_MAX {
            return;
        }
    }
    panic!("it takes {least:?}, more than {TIME_MAX:?}");
}

/// Returns the time for which a processor worked for this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[global_allocator]
static COUNTER: Counter = Counter { used: AtomicUsize::new(0), most: AtomicUsize::new(0) };

/// Counts what is allocated, and remembers the most that there was at once.
struct Counter {
    used: AtomicUsize,
    most: AtomicUsize,
}

impl Counter {
    fn add(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        self.most.fetch_max(used, Relaxed);
    }
}

// SAFETY: all that is asked for is passed on to the allocator of the system as it is.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.used.fetch_sub(layout.size(), Relaxed);
        self.add(size);
        unsafe { System.realloc(at, layout, size) }
    }
}
