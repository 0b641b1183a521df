//! All answers for one region, from 100 to 100,000 instances: time, memory, and time after one changed rule.
//!
//!     cargo bench -p muster-network --bench region [-- INSTANCES...]
//!
//! Every size runs in a process of its own, so that the peak of memory (`VmHWM` of proc(5)) is its own.

mod region;

use muster_network::{Analyzer, Topology, topology::IpRange};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Sizes without arguments.
const INSTANCES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// What is aimed at with 10,000 instances.
const AIM: &str = "aim at 10,000 instances: all answers under 1 s and 500 MB, after one changed rule under 20 ms";

/// Changes of one rule, of which the middle one is told.
const CHANGES: usize = 9;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [child, instances] = arguments.as_slice()
        && child == "measure"
    {
        return measure(instances.parse().expect("a number of instances"));
    }
    let sizes: Vec<String> = match arguments.is_empty() {
        true => INSTANCES.iter().map(usize::to_string).collect(),
        false => arguments,
    };
    println!("200 VPCs, 1,200 subnets, 2,000 security groups with 20 rules each, 400 ACLs, 50 peerings,");
    println!("3 transit gateways, 200 load balancers; {AIM}");
    println!();
    println!("instances   answers   undetermined   all answers   changed rule   topology MB   peak MB");
    for size in sizes {
        let program = std::env::current_exe().expect("this program's path");
        let status = Command::new(program).args(["measure", &size]).status().expect("start the measurement");
        assert!(status.success(), "{size} instances: {status}");
    }
}

fn measure(instances: usize) {
    let mut topology = region::of(instances);
    let held = peak_megabytes();
    let mut analyzer = Analyzer::new();
    let start = Instant::now();
    let analysis = &analyzer.analyze(std::slice::from_ref(&topology))[0];
    let all = start.elapsed();
    let (answers, undetermined) = (analysis.reachabilities.len(), analysis.undetermined.len());
    let peak = peak_megabytes();
    let mut times: Vec<Duration> =
        (0..CHANGES).map(|change| after_a_change(&mut analyzer, &mut topology, change)).collect();
    times.sort();
    println!(
        "{instances:>9}{answers:>10}{undetermined:>15}{:>12} ms{:>12.1} ms{held:>14}{peak:>10}",
        all.as_millis(),
        times[CHANGES / 2].as_secs_f64() * 1e3,
    );
}

/// One block more in one rule of one group; the topology comes anew, as after a sweep.
fn after_a_change(analyzer: &mut Analyzer, topology: &mut Topology, change: usize) -> Duration {
    let group = &mut topology.security_groups[change * 200 + 7];
    group.ip_permissions[3].ip_ranges.push(IpRange { cidr_ip: format!("192.0.2.{change}/32") });
    let anew = topology.clone();
    let start = Instant::now();
    let analyses = analyzer.analyze(std::slice::from_ref(&anew));
    let time = start.elapsed();
    assert_eq!(analyses.len(), 1);
    time
}

/// The most memory that this process held at once, in MB; 0 where the system does not tell.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}
