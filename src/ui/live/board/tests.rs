//! The view, driven by keys and drawn into a buffer.
