//! Any bytes as every format of packages: what can be read is, and the rest is told. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_fuzzing::{corpus, run};

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

#[test]
fn any_bytes_are_a_cargo_lock_or_refused() {
    check("cargo_lock", 10000, bodies::cargo_lock);
}

#[test]
fn any_bytes_are_a_cyclonedx_document_or_refused() {
    check("cyclonedx", 10000, bodies::cyclonedx);
}

#[test]
fn any_bytes_are_a_dpkg_status_file_or_refused() {
    check("dpkg", 10000, bodies::dpkg);
}

#[test]
fn any_bytes_are_a_dpkg_list_or_refused() {
    check("dpkg_list", 10000, bodies::dpkg_list);
}

#[test]
fn any_bytes_are_a_go_program_or_none() {
    check("go_binary", 10000, bodies::go_binary);
}

#[test]
fn any_bytes_are_a_package_json_or_refused() {
    check("npm", 10000, bodies::npm);
}

#[test]
fn any_bytes_are_an_os_release_or_refused() {
    check("os_release", 10000, bodies::os_release);
}

#[test]
fn any_bytes_are_a_package_lock_or_refused() {
    check("package_lock", 10000, bodies::package_lock);
}

#[test]
fn any_bytes_are_python_metadata_or_refused() {
    check("python", 10000, bodies::python);
}

#[test]
fn any_bytes_are_ssm_entries_or_refused() {
    check("ssm", 10000, bodies::ssm);
}

#[test]
fn any_bytes_are_a_path_or_refused() {
    check("paths", 10000, bodies::paths);
}

#[test]
fn any_bytes_are_an_rpm_database_or_refused() {
    check("rpm", 5000, bodies::rpm);
}

#[test]
fn any_bytes_are_a_lock_file_or_refused() {
    check("lists", 5000, bodies::lists);
}
