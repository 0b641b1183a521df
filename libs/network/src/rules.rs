//! What network ACLs, security groups and routes have in common: protocols, ports, and what could not be read.

use crate::addresses::Block;

/// The two protocols that have ports (IANA protocol numbers 6 and 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub(crate) const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// As Inspector writes it (`NetworkProtocol`).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// The protocols of a rule: by name, by number, or `-1` for all. Others than TCP and UDP have no ports to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Protocols {
    tcp: bool,
    udp: bool,
}

impl Protocols {
    pub(crate) fn read(raw: &str) -> Self {
        let is = |number: &str, name: &str| raw == "-1" || raw == number || raw.eq_ignore_ascii_case(name);
        Self { tcp: is("6", "tcp"), udp: is("17", "udp") }
    }

    pub(crate) fn hold(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Tcp => self.tcp,
            Protocol::Udp => self.udp,
        }
    }

    pub(crate) fn have_ports(self) -> bool {
        self.tcp || self.udp
    }
}

/// A range of ports, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl Ports {
    pub(crate) const ALL: Self = Self { first: 0, last: u16::MAX };

    /// `None` when they are not a range of ports. Absent or -1 means all.
    pub(crate) fn read(from: Option<i32>, to: Option<i32>) -> Option<Self> {
        match (from, to) {
            (None | Some(-1), None | Some(-1)) => Some(Self::ALL),
            (Some(from), Some(to)) => {
                let (first, last) = (u16::try_from(from).ok()?, u16::try_from(to).ok()?);
                (first <= last).then_some(Self { first, last })
            }
            _ => None,
        }
    }

    pub(crate) fn hold(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Marks where an answer can change: at its first port and behind its last.
    pub(crate) fn cut(self, cuts: &mut Vec<u32>) {
        cuts.push(u32::from(self.first));
        cuts.push(u32::from(self.last) + 1);
    }
}

/// Something that the analysis needs and does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unclear {
    /// As IAM writes the action.
    pub(crate) call: String,
    pub(crate) reason: String,
}

impl Unclear {
    pub(crate) fn new(call: &str, reason: impl Into<String>) -> Self {
        Self { call: format!("ec2:{call}"), reason: reason.into() }
    }
}

/// A block, or who wrote it so that it cannot be read.
pub(crate) fn block(call: &str, owner: &str, raw: &str) -> Result<Block, Unclear> {
    Block::parse(raw).ok_or_else(|| Unclear::new(call, format!("{owner}: `{raw}` is not a CIDR block")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_a_range_or_all() {
        let check = |from: Option<i32>, to: Option<i32>, expected: Option<(u16, u16)>| {
            assert_eq!(Ports::read(from, to).map(|ports| (ports.first, ports.last)), expected, "{from:?} {to:?}");
        };
        check(Some(80), Some(90), Some((80, 90)));
        check(None, None, Some((0, 65535)));
        check(Some(-1), Some(-1), Some((0, 65535)));
        check(Some(90), Some(80), None);
        check(Some(0), Some(65536), None);
        check(Some(80), None, None);
    }

    #[test]
    fn protocols_are_known_by_name_and_number() {
        let check = |raw: &str, tcp: bool, udp: bool| assert_eq!(Protocols::read(raw), Protocols { tcp, udp }, "{raw}");
        check("-1", true, true);
        check("tcp", true, false);
        check("17", false, true);
        check("UDP", false, true);
        check("icmp", false, false);
        check("58", false, false);
    }
}
