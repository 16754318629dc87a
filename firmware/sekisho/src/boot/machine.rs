//! What the machine says of itself: SMBIOS as the kernel shows it, and its PCI devices.

use std::collections::BTreeSet;
use std::path::Path;

use board::file::Machine;

/// What `boot` knows of the hardware.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// What the board files are compared with.
    pub machine: Machine,
    /// The serial number; empty if the machine has none.
    pub serial: String,
    /// The PCI devices that are there.
    pub devices: BTreeSet<String>,
}

impl Hardware {
    /// Reads it. What cannot be read is empty, and then no board is this machine's.
    pub fn read(sys: &Path) -> Self {
        let machine = Machine { vendor: dmi(sys, "sys_vendor"), product: dmi(sys, "product_name") };
        let names = std::fs::read_dir(sys.join("bus/pci/devices")).into_iter().flatten();
        let devices = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        Self { machine, serial: dmi(sys, "product_serial"), devices }
    }
}

fn dmi(sys: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(sys.join("class/dmi/id").join(name)).unwrap_or_default();
    text.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}
