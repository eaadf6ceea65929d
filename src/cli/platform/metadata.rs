//! Facts about files that only Unix has.

use std::{
    fs::Metadata,
    os::unix::fs::{FileTypeExt, MetadataExt},
};

use crate::cli::platform::ownership::Ownership;

/// Whether this is a block device, which keeps what is written to it.
pub(crate) fn is_block_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_block_device()
}

/// Whether this is a regular file that its group or others may read.
pub(crate) fn others_may_read(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o044 != 0
}

/// Numbers that no other file has while this one exists.
pub(crate) fn file_number(metadata: &Metadata) -> Option<(u64, u64)> {
    Some((metadata.dev(), metadata.ino()))
}

/// Whether a file takes space on a disk.
pub(crate) fn takes_space(metadata: &Metadata) -> bool {
    metadata.blocks() > 0
}

/// Number of hard links to a file.
pub(crate) fn link_count(metadata: &Metadata) -> u64 {
    metadata.nlink()
}

/// Seconds and nanoseconds of the last change to a file or its attributes, which no program can set.
pub(crate) fn change_time(metadata: &Metadata) -> Option<(i64, i64)> {
    Some((metadata.ctime(), metadata.ctime_nsec()))
}

/// Owner, group and mode.
pub(crate) fn ownership(metadata: &Metadata) -> Option<Ownership> {
    Some(Ownership { user: metadata.uid(), group: metadata.gid(), mode: metadata.mode() })
}
