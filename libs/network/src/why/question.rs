//! What is asked: may this source reach that destination on this port.

use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// Longer words are no address and no id of AWS: its longest ARNs have fewer characters (IAM user guide, "IAM and STS
/// quotas", 2,048 for an ARN, read 2026-11-24).
const WORD_BYTES_MAX: usize = 2048;

/// A question about one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// Who opens the connection.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// How.
    pub protocol: Protocol,
    /// The destination's port.
    pub port: u16,
}

/// One end of the connection that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Endpoint {
    /// `internet`: anyone there; as a destination, a server there that answers.
    Internet,
    /// An address inside or outside.
    Address(IpAddr),
    /// `eni-…`.
    Interface(String),
    /// `i-…`: any of its interfaces and addresses.
    Instance(String),
    /// The ARN or name of a load balancer, or the ARN or id of another resource whose interfaces name it.
    Resource(String),
}

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IANA protocol number 6.
    Tcp,
    /// IANA protocol number 17.
    Udp,
}

/// Why a question makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Neither a word nor an address.
    #[error(
        "`{0}` is no source or destination: give an IP address, an interface (eni-…), an instance (i-…), a load balancer's name or ARN, or `internet`"
    )]
    NoEndpoint(String),
    /// A block of addresses instead of one.
    #[error("`{0}` is a block of addresses: give one address of it")]
    Block(String),
    /// Not of the form `tcp/22`.
    #[error("`{0}` is no port: write it as tcp/22 or udp/53")]
    NoService(String),
    /// Not TCP or UDP.
    #[error("protocol `{0}` has no ports: ask for tcp/PORT or udp/PORT")]
    NoPorts(String),
    /// Not in the topology.
    #[error("`{0}` is in none of the topologies")]
    Unknown(String),
    /// Two addresses of different families.
    #[error("{0} and {1} are of different address families: no connection joins them")]
    Families(IpAddr, IpAddr),
}

impl Question {
    /// From the words of a command line: a source, a destination and `tcp/22`.
    pub fn parse(source: &str, destination: &str, service: &str) -> Result<Self, QuestionError> {
        let (source, destination): (Endpoint, Endpoint) = (source.parse()?, destination.parse()?);
        if let (Endpoint::Address(from), Endpoint::Address(to)) = (&source, &destination)
            && from.is_ipv4() != to.is_ipv4()
        {
            return Err(QuestionError::Families(*from, *to));
        }
        let (protocol, port) = service.split_once('/').ok_or_else(|| QuestionError::NoService(service.to_owned()))?;
        let protocol = protocol.parse()?;
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or_else(|| QuestionError::NoService(service.to_owned()))?;
        Ok(Self { source, destination, protocol, port })
    }

    /// `tcp/22`.
    pub fn service(&self) -> String {
        format!("{}/{}", self.protocol, self.port)
    }
}

impl FromStr for Endpoint {
    type Err = QuestionError;

    fn from_str(raw: &str) -> Result<Self, QuestionError> {
        let word = raw.trim();
        if let Ok(address) = word.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        if word.parse::<ipnet::IpNet>().is_ok() {
            return Err(QuestionError::Block(word.to_owned()));
        }
        let readable = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/:.+@".contains(&byte);
        let lone = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if word.is_empty() || word.len() > WORD_BYTES_MAX || lone || !word.bytes().all(readable) {
            return Err(QuestionError::NoEndpoint(shortened(word)));
        }
        Ok(match word {
            "internet" => Self::Internet,
            interface if interface.starts_with("eni-") => Self::Interface(interface.to_owned()),
            instance if instance.starts_with("i-") => Self::Instance(instance.to_owned()),
            resource => Self::Resource(resource.to_owned()),
        })
    }
}

/// The beginning of a word that may be anything.
fn shortened(word: &str) -> String {
    const SHOWN: usize = 80;
    if word.chars().count() <= SHOWN { word.to_owned() } else { word.chars().take(SHOWN).chain(['…']).collect() }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet => formatter.write_str("internet"),
            Self::Address(address) => address.fmt(formatter),
            Self::Interface(id) | Self::Instance(id) | Self::Resource(id) => formatter.write_str(id),
        }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = QuestionError;

    fn try_from(raw: String) -> Result<Self, QuestionError> {
        raw.parse()
    }
}

impl Protocol {
    /// IANA protocol number.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

impl FromStr for Protocol {
    type Err = QuestionError;

    fn from_str(raw: &str) -> Result<Self, QuestionError> {
        match raw.to_ascii_lowercase().as_str() {
            "tcp" | "6" => Ok(Self::Tcp),
            "udp" | "17" => Ok(Self::Udp),
            _ => Err(QuestionError::NoPorts(shortened(raw))),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, destination: &str, service: &str, expected: &str) {
        let said = match Question::parse(source, destination, service) {
            Ok(question) => format!("{} {} {}", question.source, question.destination, question.service()),
            Err(error) => error.to_string(),
        };
        assert!(said.starts_with(expected), "{source} {destination} {service}: {said}");
    }

    #[test]
    fn a_question_names_two_ends_and_a_port() {
        check("internet", "i-1", "tcp/22", "internet i-1 tcp/22");
        check("198.51.100.7", "eni-1", "UDP/53", "198.51.100.7 eni-1 udp/53");
        check("2001:DB8::1", "2001:db8::2", "6/443", "2001:db8::1 2001:db8::2 tcp/443"); // one spelling
        check("::ffff:198.51.100.7", "10.0.0.1", "tcp/1", "198.51.100.7 10.0.0.1 tcp/1"); // an IPv4 address in IPv6 dress
        check("i-1", "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/a/b", "tcp/443", "i-1 arn:");
        check(" i-1 ", "internet", "tcp/0", "i-1 internet tcp/0");
    }

    #[test]
    fn a_malformed_question_says_which_word_is_wrong() {
        check("", "i-1", "tcp/22", "`` is no source or destination");
        check("10.0.0", "i-1", "tcp/22", "`10.0.0` is no source or destination"); // an address that lacks a part
        check("10.0.0.999", "i-1", "tcp/22", "`10.0.0.999` is no source");
        check("10.0.0.0/8", "i-1", "tcp/22", "`10.0.0.0/8` is a block of addresses");
        check("i-1", "i 2", "tcp/22", "`i 2` is no source or destination");
        check("i-1", &"i".repeat(3000), "tcp/22", "`iiii");
        check("i-1", "i-2", "22", "`22` is no port");
        check("i-1", "i-2", "tcp/", "`tcp/` is no port");
        check("i-1", "i-2", "tcp/+22", "`tcp/+22` is no port");
        check("i-1", "i-2", "tcp/65536", "`tcp/65536` is no port");
        check("i-1", "i-2", "tcp/22-23", "`tcp/22-23` is no port");
        check("i-1", "i-2", "icmp/8", "protocol `icmp` has no ports");
        check("10.0.0.1", "2001:db8::1", "tcp/22", "10.0.0.1 and 2001:db8::1 are of different");
    }
}
