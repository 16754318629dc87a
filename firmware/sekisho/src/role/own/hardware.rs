//! What the kernel says of the board: how hot it is, and how worn its eMMC. Below `/sys`, or a folder that looks like it.

use std::fs;
use std::path::{Path, PathBuf};

use reach::own::{Hardware, Heat, Wear};

/// Where the kernel says it.
pub const SYS: &str = "/sys";

/// What is there; a machine without sensors says nothing.
pub fn read(sys: &Path) -> Hardware {
    let zones = entries(&sys.join("class/thermal"), "thermal_zone");
    let disks = entries(&sys.join("block"), "mmcblk");
    Hardware {
        heat: zones.iter().filter_map(|zone| heat(zone)).collect(),
        wear: disks.iter().filter_map(|disk| wear(&disk.join("device"))).collect(),
    }
}

fn entries(folder: &Path, beginning: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn text(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

/// Thousandths of a degree, and the temperature at which the board switches itself off.
fn heat(zone: &Path) -> Option<Heat> {
    let degrees = |file: &Path| text(file)?.parse::<i64>().ok().map(|thousandths| thousandths / 1000);
    let critical = entries(zone, "trip_point_").into_iter().find_map(|point| {
        let name = point.file_name()?.to_string_lossy().strip_suffix("_type")?.to_owned();
        let is_critical = text(&point).as_deref() == Some("critical");
        is_critical.then(|| degrees(&zone.join(format!("{name}_temp")))).flatten()
    });
    Some(Heat { degrees: degrees(&zone.join("temp"))?, critical })
}

/// The estimates of JEDEC JESD84-B51 (EXT_CSD 267 to 269): tenths of its life that are used, and how much of its spare
/// blocks is.
fn wear(device: &Path) -> Option<Wear> {
    let number = |word: &str| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok();
    let used = text(&device.join("life_time"))?.split_whitespace().filter_map(number).max()?;
    let spare = text(&device.join("pre_eol_info")).as_deref().and_then(number).unwrap_or(0);
    Some(Wear { used, spare })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Hardware) {
        let sys = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = sys.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let found = read(sys.path());
        (sys, found)
    }

    #[test]
    fn a_machine_without_sensors_says_nothing() {
        let (_sys, found) =
            machine(&[("block/vda/size", "1\n"), ("class/thermal/cooling_device0/type", "Fan\n")]);
        assert!(found.heat.is_empty() && found.wear.is_empty());
    }

    #[test]
    fn heat_and_wear_are_read_as_the_kernel_writes_them() {
        let (_sys, found) = machine(&[
            ("class/thermal/thermal_zone0/temp", "48500\n"),
            ("class/thermal/thermal_zone0/trip_point_0_type", "passive\n"),
            ("class/thermal/thermal_zone0/trip_point_0_temp", "85000\n"),
            ("class/thermal/thermal_zone0/trip_point_1_type", "critical\n"),
            ("class/thermal/thermal_zone0/trip_point_1_temp", "105000\n"),
            ("class/thermal/thermal_zone1/temp", "-1000\n"),
            ("class/thermal/thermal_zone2/temp", "no sensor\n"),
            ("block/mmcblk0/device/life_time", "0x02 0x0a\n"),
            ("block/mmcblk0/device/pre_eol_info", "0x01\n"),
            ("block/mmcblk0boot0/size", "8192\n"),
        ]);
        assert_eq!(
            found.heat,
            [Heat { degrees: 48, critical: Some(105) }, Heat { degrees: -1, critical: None }]
        );
        assert_eq!(found.wear, [Wear { used: 10, spare: 1 }]);
    }
}
