package egress_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/egress"
)

func TestOnlyPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, kind := range map[string]string{
		"8.8.8.8": "", "172.15.0.1": "", "172.32.0.1": "", "2606:4700::1111": "", "::ffff:8.8.8.8": "", "64:ff9b::8.8.8.8": "", "100.128.0.1": "",
		"127.0.0.1": "loopback", "127.9.9.9": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "64:ff9b::127.0.0.1": "loopback",
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "unspecified", "::ffff:0.0.0.0": "unspecified",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "100.64.0.1": "private",
		"fd00:ec2::254": "private", "::ffff:10.0.0.1": "private", "64:ff9b::10.0.0.1": "private",
		"169.254.169.254": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "100.100.100.200": "private",
		"168.63.129.16": "metadata", "192.0.0.192": "reserved",
		"224.0.0.1": "multicast", "239.1.1.1": "multicast", "ff02::1": "multicast", "255.255.255.255": "reserved",
		"::127.0.0.1": "reserved", "2002:7f00:1::": "reserved", "2001::1": "reserved", "64:ff9b:1::1": "reserved", "fec0::1": "reserved",
	} {
		err := egress.Policy{}.CheckAddr(netip.MustParseAddr(address))
		if kind == "" && err != nil || kind != "" && (err == nil || !strings.Contains(err.Error(), kind+" address: add it to webhook.networks")) {
			t.Errorf("%s: %v, want %q", address, err, kind)
		}
		port := netip.AddrPortFrom(netip.MustParseAddr(address), 80).String()
		if err := (egress.Policy{}).Control("tcp", port, nil); (err == nil) != (kind == "") {
			t.Errorf("at dial time %s: %v", port, err)
		}
	}
}

func TestNetworksAreAllowed(t *testing.T) {
	t.Parallel()
	p, err := egress.New([]string{"10.1.2.3/16", "::1", "192.168.0.7"})
	if err != nil {
		t.Fatal(err)
	}
	for host, ok := range map[string]bool{
		"10.1.9.9": true, "10.2.0.0": false, "::1": true, "192.168.0.7": true, "192.168.0.8": false, "127.0.0.1": false, "localhost": true,
		"8.8.8.8": true, "example.org": true, "169.254.169.254": false, "::ffff:10.1.0.1": true,
	} {
		if err := p.CheckURL("http://" + bracket(host) + ":80/"); (err == nil) != ok {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST.", "x.localhost"} {
		if err := (egress.Policy{}).CheckURL("http://" + host); err == nil {
			t.Errorf("%s is reached", host)
		}
	}
	for _, bad := range []string{"", "x", "10.0.0.0/33", "10.0.0", "fe80::1%eth0", "http://10.0.0.1"} {
		if _, err := egress.New([]string{bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
