package egress

import "net/netip"

// nat64 is the prefix by which IPv6-only networks reach IPv4 addresses (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// publicIPv6 holds all public addresses of IPv6, and some special ones.
var publicIPv6 = netip.MustParsePrefix("2000::/3")

// special are the networks that are not public, from IANA's registries of
// special-purpose addresses, and the metadata services of clouds.
var special = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a private"}, // carriers' networks, and Alibaba's metadata
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a metadata"}, // Azure
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local"}, // and the metadata of most clouds
	{netip.MustParsePrefix("172.16.0.0/12"), "a private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved"}, // and Oracle's metadata
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a reserved"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a private"}, // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved"}, // and broadcast

	{netip.MustParsePrefix("::/128"), "an unspecified"},
	{netip.MustParsePrefix("::1/128"), "a loopback"},
	{netip.MustParsePrefix("2001::/23"), "a reserved"}, // tunnels among them
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation"},
	{netip.MustParsePrefix("2002::/16"), "a reserved"}, // tunnels to IPv4 addresses
	{netip.MustParsePrefix("3fff::/20"), "a documentation"},
	{netip.MustParsePrefix("fc00::/7"), "a private"}, // and Amazon's metadata
	{netip.MustParsePrefix("fe80::/10"), "a link-local"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast"},
}

// kindOf names the kind of an address that is not public; empty for a public one.
func kindOf(addr netip.Addr) string {
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.kind
		}
	}
	if addr.Is6() && !publicIPv6.Contains(addr) {
		return "a reserved"
	}
	return ""
}
