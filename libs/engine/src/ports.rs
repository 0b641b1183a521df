//! How bad an open port is, by the service that usually listens there.
//! Source: Amazon Inspector user guide, "Understanding severity levels", network reachability, read 2026-11-24.

use crate::exposure::INTERNET;
use Severity::{High, Informational, Low, Medium};
use muster_domain::{Reachability, Severity};

/// A service and how bad it is to reach it.
struct Service {
    /// As the table names it.
    name: &'static str,
    tcp: &'static [u16],
    udp: &'static [u16],
    /// From the internet.
    internet: Severity,
    /// Through an open path: a virtual gateway, a peering connection, Direct Connect, a transit gateway.
    open_path: Severity,
}

const fn row(
    name: &'static str,
    tcp: &'static [u16],
    udp: &'static [u16],
    internet: Severity,
    open_path: Severity,
) -> Service {
    Service { name, tcp, udp, internet, open_path }
}

const SERVICES: [Service; 24] = [
    row("DHCP", &[67, 68, 546, 547], &[67, 68, 546, 547], Medium, Informational),
    row("Elasticsearch", &[9200, 9300], &[], Medium, Informational),
    row("FTP", &[21], &[21], High, Medium),
    row("Global catalog LDAP", &[3268], &[], Medium, Informational),
    row("Global catalog LDAP over TLS", &[3269], &[], Medium, Informational),
    row("HTTP and HTTPS", &[80, 443], &[80, 443], Low, Informational),
    row("Kerberos", &[88, 464, 543, 544, 749, 751], &[88, 464, 749, 750, 751, 752], Medium, Informational),
    row("LDAP", &[389], &[389], Medium, Informational),
    row("LDAP over TLS", &[636], &[], Medium, Informational),
    row("MongoDB", &[27017, 27018, 27019, 28017], &[], Medium, Informational),
    row("MySQL", &[3306], &[], Medium, Informational),
    row("NetBIOS", &[137, 139], &[137, 138], Medium, Informational),
    row("NFS", &[111, 1110, 2049, 4045], &[111, 1110, 2049, 4045], Medium, Informational),
    row("Oracle", &[1521, 1630], &[], Medium, Informational),
    row("PostgreSQL", &[5432], &[], Medium, Informational),
    row("Print services", &[515], &[], High, Medium),
    row("RDP", &[3389], &[3389], Medium, Low),
    row("RPC", &[111, 135, 530], &[111, 135, 530], Medium, Informational),
    row("SMB", &[445], &[445], Medium, Informational),
    row("SSH", &[22], &[22], Medium, Low),
    row("SQL Server", &[1433], &[1434], Medium, Informational),
    row("Syslog", &[601], &[514], Medium, Informational),
    row("Telnet", &[23], &[23], High, Medium),
    row("WINS", &[42, 1512], &[42, 1512], Medium, Informational),
];

/// The worst over the range; a range without a listed service is informational.
pub(crate) fn severity(reachability: &Reachability) -> Severity {
    worst(reachability).map_or(Informational, |(severity, _)| severity)
}

/// Whether a service of the table lives on this port.
pub(crate) fn is_listed(port: u16, is_udp: bool) -> bool {
    SERVICES.iter().any(|service| if is_udp { service.udp } else { service.tcp }.contains(&port))
}

/// The service that makes the range as bad as it is.
pub(crate) fn service(reachability: &Reachability) -> &'static str {
    worst(reachability).map_or("no listed service", |(_, name)| name)
}

fn worst(reachability: &Reachability) -> Option<(Severity, &'static str)> {
    let range = reachability.port_begin..=reachability.port_end;
    let open = SERVICES.iter().filter_map(|service| {
        let ports = if reachability.protocol == "UDP" { service.udp } else { service.tcp };
        let severity = if reachability.edge == INTERNET { service.internet } else { service.open_path };
        ports.iter().any(|port| range.contains(port)).then_some((severity, service.name))
    });
    open.max_by_key(|(severity, _)| *severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(protocol: &str, ports: (u16, u16), edge: &str, expected: Severity) {
        let range = crate::samples::reachability(ports.0, ports.1);
        let reachability = Reachability { protocol: protocol.into(), edge: edge.into(), ..range };
        assert_eq!(severity(&reachability), expected, "{protocol} {ports:?} is {:?}", worst(&reachability));
    }

    #[test]
    fn a_port_is_as_bad_as_the_service_that_lives_there() {
        check("TCP", (22, 22), "internet", Medium);
        check("TCP", (22, 22), "vpn", Low);
        check("TCP", (23, 23), "internet", High);
        check("UDP", (23, 23), "vpn", Medium);
        check("TCP", (443, 443), "internet", Low);
        check("TCP", (3306, 3306), "internet", Medium);
        check("UDP", (3306, 3306), "internet", Informational); // MySQL speaks TCP alone
        check("UDP", (1434, 1434), "internet", Medium);
        check("TCP", (1434, 1434), "internet", Informational);
        check("TCP", (8080, 8080), "internet", Informational); // not listed
    }

    #[test]
    fn a_range_is_as_bad_as_its_worst_port() {
        check("TCP", (0, 65535), "internet", High);
        check("TCP", (79, 81), "internet", Low);
        check("TCP", (24, 79), "internet", Medium); // WINS
        check("TCP", (80, 443), "internet", Medium);
        check("TCP", (8000, 9000), "internet", Informational);
    }
}
