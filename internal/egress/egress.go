// Package egress decides which addresses Baler may send webhooks to. Every user who may
// submit chooses URLs, so by default webhooks reach public addresses only: no services
// of this host, of its network, or of its cloud.
package egress

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/balerhq/baler/internal/dsn"
)

// Policy allows public addresses and some networks. The zero value allows public
// addresses only.
type Policy struct{ allowed []netip.Prefix }

// New makes a policy that also allows the networks, each an address or a prefix such as
// 10.1.0.0/16.
func New(networks []string) (Policy, error) {
	var p Policy
	for _, text := range networks {
		prefix, err := parse(text)
		if err != nil {
			return Policy{}, err
		}
		p.allowed = append(p.allowed, prefix)
	}
	return p, nil
}

func parse(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is not a network; write an address or a prefix, such as 10.1.0.0/16", dsn.Quote(text))
	}
	return prefix.Masked(), nil
}

// CheckAddr reports why an address may not be reached.
func (p Policy) CheckAddr(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	for _, prefix := range p.allowed {
		if prefix.Contains(addr) {
			return nil
		}
	}
	if within(nat64, addr) { // leads to the IPv4 address in its last bytes
		b := addr.As16()
		return p.CheckAddr(netip.AddrFrom4([4]byte(b[12:])))
	}
	if kind := kindOf(addr); kind != "" {
		return fmt.Errorf("%s is %s address: add it to webhook.networks (BALER_WEBHOOK_NETWORKS) if webhooks may go there", addr, kind)
	}
	return nil
}

// CheckURL checks the host of a URL without resolving its name. It accepts text that is
// not a URL.
func (p Policy) CheckURL(address string) error {
	form, target := FormOf(address)
	if form == Mail {
		return nil // the mail server has an address of its own
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil //nolint:nilerr // config.CheckWebhook reports it
	}
	host := u.Hostname()
	if name := strings.ToLower(strings.TrimSuffix(host, ".")); name == "localhost" || strings.HasSuffix(name, ".localhost") {
		if p.CheckAddr(netip.IPv6Loopback()) == nil {
			return nil
		}
		return p.CheckAddr(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.CheckAddr(addr)
	}
	return nil
}

// Control is for net.Dialer: it checks the address that a name was resolved to, just
// before the connection is made.
func (p Policy) Control(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("check address: %w", err)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("check address: %w", err)
	}
	return p.CheckAddr(addr)
}
