//! What an analysis tells: what can be reached, and where that could not be told.

use muster_domain::Reachability;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What can be reached in one topology, and where that could not be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Analysis {
    /// Twelve digits.
    pub account: String,
    /// For example `eu-central-1`.
    pub region: String,
    /// Every open port range of every interface from every edge, sorted. Ranges of one interface, protocol and edge
    /// are disjoint, and adjacent ones have different sources.
    pub reachabilities: Vec<Reachability>,
    /// What could not be told, sorted: there may be more than `reachabilities` says.
    pub undetermined: Vec<Undetermined>,
    /// The instances whose interfaces were looked at. Nothing is known of another one: it may be newer than the
    /// topology.
    pub instances: BTreeSet<String>,
}

/// Something that could not be told, because an answer is missing or cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Undetermined {
    /// Twelve digits.
    pub account: String,
    /// For example `eu-central-1`.
    pub region: String,
    /// The action as IAM writes it: `ec2:DescribeNetworkAcls`.
    pub call: String,
    /// As [`Reachability::resource`], when it is about one resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// `eni-…`, when it is about one interface; neither: about everything in the region that the call describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// From which edge something may be reachable, as [`Reachability::edge`]; `None`: from any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// Why it is needed and not there, in one line.
    pub reason: String,
}

impl Analysis {
    /// What a resource can be reached on, sorted.
    pub fn of_resource(&self, resource: &str) -> Vec<Reachability> {
        self.reachabilities.iter().filter(|reachability| reachability.resource == resource).cloned().collect()
    }

    /// The calls without which the reachability of an instance is not known, sorted; empty: it is known.
    pub fn undetermined_of(&self, instance: &str) -> Vec<String> {
        let concerns = |undetermined: &&Undetermined| match (&undetermined.resource, &undetermined.interface) {
            (Some(concerned), _) => concerned == instance,
            (None, interface) => interface.is_none() && !undetermined.call.starts_with("lambda:"),
        };
        let mut calls: BTreeSet<&str> =
            self.undetermined.iter().filter(concerns).map(|open| open.call.as_str()).collect();
        if !self.instances.contains(instance) {
            calls.insert("ec2:DescribeNetworkInterfaces");
        }
        calls.into_iter().map(str::to_owned).collect()
    }
}
