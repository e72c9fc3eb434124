//! Where on a disk a file system may be: in each partition, or on the bare disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;

use gpt::GptConfig;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;

/// Images of disks have sectors of 512 bytes.
const SECTOR: LogicalBlockSize = LogicalBlockSize::Lb512;

/// How many partitions an MBR has.
const MBR_PARTITIONS: usize = 4;

/// The places, in bytes: the partitions, by GPT or else by MBR, and last the disk as a whole.
pub fn places(disk: &mut File) -> io::Result<Vec<Range<u64>>> {
    let size = disk.seek(SeekFrom::End(0))?;
    let mut places = by_gpt(disk).or_else(|| by_mbr(disk)).unwrap_or_default();
    places.retain(|place| place.start < place.end && place.end <= size);
    places.push(0..size);
    Ok(places)
}

fn by_gpt(disk: &mut File) -> Option<Vec<Range<u64>>> {
    let table = GptConfig::new().logical_block_size(SECTOR).open_from_device(disk).ok()?;
    let used = table.partitions().values().filter(|partition| partition.is_used());
    let range = |partition: &gpt::partition::Partition| {
        let start = partition.bytes_start(SECTOR).ok()?;
        Some(start..start.checked_add(partition.bytes_len(SECTOR).ok()?)?)
    };
    Some(used.filter_map(range).collect())
}

fn by_mbr(disk: &mut File) -> Option<Vec<Range<u64>>> {
    let table = ProtectiveMBR::from_disk(disk, SECTOR).ok()?;
    let records = (0..MBR_PARTITIONS).filter_map(|number| table.partition(number));
    let bytes = |sectors: u32| u64::from(sectors) * u64::from(SECTOR);
    Some(
        records
            .map(|record| bytes(record.lb_start)..bytes(record.lb_start) + bytes(record.lb_size))
            .collect(),
    )
}
