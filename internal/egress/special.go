package egress

import "net/netip"

const (
	// nat64 is the prefix by which IPv6-only networks reach IPv4 addresses (RFC 6052).
	nat64 = "64:ff9b::/96"

	// publicIPv6 holds all public addresses of IPv6, and some special ones.
	publicIPv6 = "2000::/3"
)

// The kinds that several networks have.
const (
	private       = "a private"
	reserved      = "a reserved"
	documentation = "a documentation"
)

type network struct{ prefix, kind string }

// special lists the networks that are not public, from IANA's registries of
// special-purpose addresses, and the metadata services of clouds.
func special() []network {
	return []network{
		{"0.0.0.0/8", "an unspecified"},
		{"10.0.0.0/8", private},
		{"100.64.0.0/10", private}, // carriers' networks, and Alibaba's metadata
		{"127.0.0.0/8", "a loopback"},
		{"168.63.129.16/32", "a metadata"}, // Azure
		{"169.254.0.0/16", "a link-local"}, // and the metadata of most clouds
		{"172.16.0.0/12", private},
		{"192.0.0.0/24", reserved}, // and Oracle's metadata
		{"192.0.2.0/24", documentation},
		{"192.88.99.0/24", reserved},
		{"192.168.0.0/16", private},
		{"198.18.0.0/15", private}, // benchmarks
		{"198.51.100.0/24", documentation},
		{"203.0.113.0/24", documentation},
		{"224.0.0.0/4", "a multicast"},
		{"240.0.0.0/4", reserved}, // and broadcast

		{"::/128", "an unspecified"},
		{"::1/128", "a loopback"},
		{"2001::/23", reserved}, // tunnels among them
		{"2001:db8::/32", documentation},
		{"2002::/16", reserved}, // tunnels to IPv4 addresses
		{"3fff::/20", documentation},
		{"fc00::/7", private}, // and Amazon's metadata
		{"fe80::/10", "a link-local"},
		{"ff00::/8", "a multicast"},
	}
}

// kindOf names the kind of an address that is not public; empty for a public one.
func kindOf(addr netip.Addr) string {
	for _, n := range special() {
		if within(n.prefix, addr) {
			return n.kind
		}
	}
	if addr.Is6() && !within(publicIPv6, addr) {
		return reserved
	}
	return ""
}

func within(prefix string, addr netip.Addr) bool { return netip.MustParsePrefix(prefix).Contains(addr) }
