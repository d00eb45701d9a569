//! Which addresses a webhook may not reach: everything that is not the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Network;

const fn v4(a: u8, b: u8, c: u8, bits: u32) -> Network {
    Network::new(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u32) -> Network {
    Network::new(IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)), bits)
}

/// IANA's registries of special-purpose addresses
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>),
/// of multicast, and what of IPv6 is not given out for the public internet. IPv4 inside IPv6 (`::ffff:0:0/96`) is
/// judged as IPv4 before.
const FORBIDDEN: &[(Network, &str)] = &[
    (v4(0, 0, 0, 8), "this network (RFC 791)"),
    (v4(10, 0, 0, 8), "private (RFC 1918)"),
    (v4(100, 64, 0, 10), "shared with carriers (RFC 6598)"),
    (v4(127, 0, 0, 8), "loopback (RFC 1122)"),
    (v4(169, 254, 0, 16), "link-local (RFC 3927)"),
    (v4(172, 16, 0, 12), "private (RFC 1918)"),
    (v4(192, 0, 0, 24), "protocol assignments (RFC 6890)"),
    (v4(192, 0, 2, 24), "documentation (RFC 5737)"),
    (v4(192, 88, 99, 24), "relays of 6to4 (RFC 7526)"),
    (v4(192, 168, 0, 16), "private (RFC 1918)"),
    (v4(198, 18, 0, 15), "benchmarks (RFC 2544)"),
    (v4(198, 51, 100, 24), "documentation (RFC 5737)"),
    (v4(203, 0, 113, 24), "documentation (RFC 5737)"),
    (v4(224, 0, 0, 4), "multicast (RFC 5771)"),
    (v4(240, 0, 0, 4), "reserved, and broadcast (RFC 1112)"),
    // Also unspecified, loopback, and IPv4-compatible addresses, whichever IPv4 they hold.
    (v6(0, 0, 0, 8), "reserved by the IETF (RFC 4291)"),
    (v6(0x64, 0xff9b, 0, 96), "translation to IPv4 (RFC 6052)"),
    (v6(0x64, 0xff9b, 1, 48), "local translation to IPv4 (RFC 8215)"),
    (v6(0x100, 0, 0, 64), "discarded (RFC 6666)"),
    (v6(0x2001, 0, 0, 23), "protocol assignments, Teredo among them (RFC 2928)"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation (RFC 3849)"),
    (v6(0x2002, 0, 0, 16), "6to4, with IPv4 inside (RFC 3056)"),
    (v6(0x3fff, 0, 0, 20), "documentation (RFC 9637)"),
    (v6(0x5f00, 0, 0, 16), "identifiers of segment routing (RFC 9602)"),
    (v6(0xfc00, 0, 0, 7), "private (RFC 4193)"),
    (v6(0xfe80, 0, 0, 10), "link-local (RFC 4291)"),
    (v6(0xfec0, 0, 0, 10), "site-local (RFC 3879)"),
    (v6(0xff00, 0, 0, 8), "multicast (RFC 4291)"),
    // Global unicast is 2000::/3, and nothing else is.
    (v6(0, 0, 0, 3), "not global unicast (RFC 4291)"),
    (v6(0x4000, 0, 0, 2), "not global unicast (RFC 4291)"),
    (v6(0x8000, 0, 0, 1), "not global unicast (RFC 4291)"),
];

/// Whether the address may be connected to.
///
/// # Errors
/// What sort of address it is, if it is neither public nor in one of `allow`.
pub(super) fn judge(address: IpAddr, allow: &[Network]) -> Result<(), &'static str> {
    if allow.iter().any(|network| network.contains(address)) {
        return Ok(());
    }
    match FORBIDDEN.iter().find(|(network, _)| network.contains(address)) {
        Some((_, why)) => Err(why),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 \
        198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 \
        ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::ffff:169.254.169.254 64:ff9b::7f00:1 \
        64:ff9b:1::1 100::1 2001::1 2001:1ff::1 2001:db8::1 2002:7f00:1::1 3fff::1 4000::1 5f00::1 8000::1 \
        fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1";
    const PUBLIC: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 \
        192.167.0.1 198.17.0.1 198.20.0.1 223.255.255.255 ::ffff:8.8.8.8 2001:200::1 2001:4860:4860::8888 \
        2606:4700::1111 2a00:1450::1 3ffe::1";

    fn judged(address: &str) -> Result<(), &'static str> {
        judge(address.parse().expect(address), &[])
    }

    #[test]
    fn only_public_addresses_may_be_reached() {
        for address in INSIDE.split(' ') {
            assert!(judged(address).is_err(), "{address}");
        }
        for address in PUBLIC.split(' ') {
            assert_eq!(judged(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_exception_opens_its_network_and_no_other() {
        let allow = ["127.0.0.0/8".parse().expect("a network")];
        let judged = |address: &str| judge(address.parse().expect(address), &allow).is_ok();
        assert!(judged("127.0.0.1") && judged("127.255.0.1") && judged("::ffff:127.0.0.1") && judged("8.8.8.8"));
        assert!(!judged("::1") && !judged("10.0.0.1") && !judged("169.254.169.254") && !judged("64:ff9b::7f00:1"));
    }

    /// A network whose address has bits beyond its length would be a slip of the pen.
    #[test]
    fn every_row_says_what_it_covers() {
        for (network, why) in FORBIDDEN {
            let (address, bits) = network.parts();
            let beyond = match address {
                IpAddr::V4(address) => u32::from(address).checked_shl(bits).unwrap_or(0) != 0,
                IpAddr::V6(address) => u128::from(address).checked_shl(bits).unwrap_or(0) != 0,
            };
            assert!(!beyond, "{network:?}: {why}");
        }
    }
}
