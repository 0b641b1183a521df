//! What network ACLs, security groups and routes have in common: protocols, ports, and what could not be read.

use crate::addresses::Block;

/// The two protocols that have ports (IANA protocol numbers 6 and 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub(crate) const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// IANA's protocol number.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// As Inspector writes it (`NetworkProtocol`).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// The protocols of a rule: by name, by number, or `-1` for all. Others than TCP and UDP have no ports to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

/// The stretches of ports between which no answer can change, because none of these ranges begins or ends inside one.
/// All ports are covered.
pub(crate) fn stretches(ranges: impl IntoIterator<Item = Ports>) -> Vec<Ports> {
    let mut starts: Vec<u16> = vec![0];
    for range in ranges {
        starts.push(range.first);
        starts.extend(range.last.checked_add(1));
    }
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([u16::MAX]);
    starts.iter().zip(ends).map(|(first, last)| Ports { first: *first, last }).collect()
}

/// Something that the analysis needs and does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Unclear {
    /// As IAM writes the action.
    pub(crate) call: String,
    pub(crate) reason: String,
}

impl Unclear {
    pub(crate) fn new(call: &str, reason: impl Into<String>) -> Self {
        Self { call: call.to_owned(), reason: reason.into() }
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
    fn stretches_cover_all_ports() {
        let check = |ranges: &[(u16, u16)], expected: &[(u16, u16)]| {
            let ranges = ranges.iter().map(|(first, last)| Ports { first: *first, last: *last });
            let found: Vec<_> = stretches(ranges).iter().map(|ports| (ports.first, ports.last)).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[(0, 65535)]);
        check(&[(22, 22), (20, 30)], &[(0, 19), (20, 21), (22, 22), (23, 30), (31, 65535)]);
        check(&[(0, 65535)], &[(0, 65535)]);
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
