//! Which ports the servers of known packages listen on, and so which open port leads to a package.
//!
//! Ports are those of the IANA registry (Service Name and Transport Protocol Port Number Registry, read 2026-11-24) and
//! the defaults of the programs' own configuration. What follows from a row and what does not:
//! `docs/decisions/0011-exposure-by-port.md`.

use crate::ports;
use muster_domain::{Package, PackageManager, Reachability};

/// A server and where it listens unless somebody configures it otherwise.
struct Listener {
    /// Names of operating system packages. One that ends in `*` stands for all that begin so.
    packages: &'static [&'static str],
    tcp: &'static [u16],
    udp: &'static [u16],
}

const fn row(packages: &'static [&'static str], tcp: &'static [u16], udp: &'static [u16]) -> Listener {
    Listener { packages, tcp, udp }
}

/// HTTP servers and what stands before them listen anywhere that looks like the web.
const WEB: &[u16] = &[80, 443, 8000, 8008, 8080, 8081, 8088, 8443, 8888, 9443];

const LISTENERS: &[Listener] = &[
    row(&["openssh-server", "dropbear*", "openssh-server-*"], &[22], &[]),
    row(&["nginx", "nginx-core", "nginx-full", "nginx-light", "nginx-extras", "nginx-mod-*"], WEB, &[443]),
    row(&["apache2", "apache2-bin", "httpd", "httpd-core", "mod_ssl", "libapache2-mod-*"], WEB, &[]),
    row(&["lighttpd", "caddy", "haproxy", "varnish", "traefik", "envoy"], WEB, &[443]),
    row(&["tomcat", "tomcat8", "tomcat9", "tomcat10", "jetty9", "jenkins"], &[80, 443, 8005, 8009, 8080, 8443], &[]),
    row(&["postgresql-server", "postgresql-9*", "postgresql-1*"], &[5432], &[]),
    row(&["mysql-server", "mysql-server-*", "mysql-community-server", "mariadb-server*"], &[3306, 33060], &[]),
    row(&["redis", "redis-server", "valkey", "valkey-server"], &[6379, 16379, 26379], &[]),
    row(&["memcached"], &[11211], &[11211]),
    row(&["mongodb-server", "mongodb-server-core", "mongodb-org-server"], &[27017, 27018, 27019, 28017], &[]),
    row(&["elasticsearch", "opensearch"], &[9200, 9300], &[]),
    row(&["vsftpd", "proftpd*", "pure-ftpd*"], &[20, 21, 990], &[]),
    row(&["bind9", "bind", "named", "unbound", "dnsmasq*", "pdns-server", "pdns-recursor"], &[53, 853], &[53, 67]),
    row(&["exim4-daemon-*", "exim", "postfix", "sendmail-bin", "sendmail"], &[25, 465, 587], &[]),
    row(&["dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot"], &[110, 143, 993, 995, 4190], &[]),
    row(&["samba", "samba-ad-dc"], &[135, 139, 445, 3268, 3269], &[137, 138]),
    row(&["nfs-kernel-server", "rpcbind"], &[111, 2049], &[111, 2049]),
    row(&["slapd", "openldap-servers"], &[389, 636], &[389]),
    row(&["krb5-kdc", "krb5-server", "krb5-admin-server"], &[88, 464, 749], &[88, 464, 750]),
    row(&["cups", "cups-daemon", "cups-browsed"], &[631], &[631]),
    row(&["rsync"], &[873], &[]),
    row(&["inetutils-telnetd", "telnetd", "telnet-server"], &[23], &[]),
    row(&["tftpd-hpa", "atftpd", "tftp-server"], &[], &[69]),
    row(&["ntp", "ntpsec", "chrony"], &[4460], &[123, 323]),
    row(&["snmpd", "net-snmp"], &[161, 705], &[161]),
    row(&["rsyslog", "syslog-ng-core"], &[514, 601, 6514], &[514]),
    row(&["isc-dhcp-server", "dhcp-server", "kea-dhcp4-server"], &[647], &[67, 547]),
    row(&["openvpn"], &[1194], &[1194]),
    row(&["strongswan*", "libreswan"], &[], &[500, 4500]),
    row(&["freeradius"], &[2083], &[1812, 1813]),
    row(&["rabbitmq-server"], &[4369, 5671, 5672, 15672, 25672], &[]),
    row(&["mosquitto"], &[1883, 8883], &[]),
    row(&["etcd", "etcd-server"], &[2379, 2380], &[]),
    row(&["xrdp"], &[3389], &[]),
    row(&["squid", "squid-openssl"], &[3128], &[]),
    row(&["zookeeper*"], &[2181, 2888, 3888], &[]),
    row(&["asterisk"], &[5060, 5061], &[5060]),
];

fn listener(package: &Package) -> Option<&'static Listener> {
    let is_named = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => package.name.starts_with(beginning),
        None => package.name == **pattern,
    };
    let of_the_system = package.manager == PackageManager::Os;
    LISTENERS.iter().filter(|_| of_the_system).find(|listener| listener.packages.iter().any(is_named))
}

/// Whether an open port range may lead to what a package runs. A package that is in no row may be behind any port: a
/// library answers wherever the program that uses it listens. A server is behind its own ports, and behind those that
/// no other service is known to use, since it may be configured to listen there.
pub(crate) fn may_lead_to(range: &Reachability, package: &Package) -> bool {
    let Some(listener) = listener(package) else {
        return true;
    };
    let is_udp = range.protocol == "UDP";
    let own = if is_udp { listener.udp } else { listener.tcp };
    (range.port_begin..=range.port_end).any(|port| own.contains(&port) || !is_taken(port, is_udp))
}

/// Whether some service is known to use a port.
fn is_taken(port: u16, is_udp: bool) -> bool {
    let ports = |listener: &Listener| if is_udp { listener.udp } else { listener.tcp };
    ports::is_listed(port, is_udp) || LISTENERS.iter().any(|listener| ports(listener).contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{package, reachability};

    fn check(name: &str, protocol: &str, ports: (u16, u16), expected: bool) {
        let package = package(PackageManager::Os, name, "1.0");
        let range = Reachability { protocol: protocol.into(), ..reachability(ports.0, ports.1) };
        assert_eq!(may_lead_to(&range, &package), expected, "{name} behind {protocol} {ports:?}");
    }

    #[test]
    fn a_server_is_behind_its_own_ports_and_behind_those_that_nobody_else_uses() {
        check("openssh-server", "TCP", (22, 22), true);
        check("openssh-server", "TCP", (443, 443), false); // the web's
        check("openssh-server", "TCP", (2222, 2222), true); // nobody's: it may be configured so
        check("redis-server", "TCP", (22, 22), false);
        check("redis-server", "UDP", (6379, 6379), true); // not Redis', but nobody else's either
        check("postgresql-15", "TCP", (5432, 5432), true);
        check("postgresql-15", "TCP", (3306, 3306), false);
        check("bind9", "UDP", (53, 53), true);
        check("bind9", "TCP", (22, 80), true); // 53 lies within, and ports of nobody
        check("nginx", "TCP", (8080, 8080), true);
        check("nginx", "TCP", (3389, 3389), false);
        check("redis-server", "TCP", (0, 65535), true);
    }

    #[test]
    fn what_is_no_known_server_may_be_behind_any_port() {
        check("libssl3", "TCP", (22, 22), true);
        check("postgresql-client-15", "TCP", (22, 22), true); // no server, although its name begins so
        check("openssh-client", "TCP", (443, 443), true);
        let language = package(PackageManager::Pip, "redis", "4.0"); // a client library of the same name
        assert!(may_lead_to(&reachability(22, 22), &language));
    }

    #[test]
    fn every_row_has_names_and_ports() {
        for listener in LISTENERS {
            assert!(!listener.packages.is_empty());
            assert!(!listener.tcp.is_empty() || !listener.udp.is_empty(), "{:?}", listener.packages);
        }
    }
}
