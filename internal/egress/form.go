package egress

import (
	"net/url"
	"strings"
)

// Form is how a message is written for a receiver. The beginning of its address says it.
type Form string

// The forms.
const (
	Plain Form = ""      // https://…: JSON, signed
	Slack Form = "slack" // slack+https://…: an incoming webhook of Slack, and of what understands the same
	Teams Form = "teams" // teams+https://…: an incoming webhook of Microsoft Teams
	Mail  Form = "mail"  // mailto:NAME@DOMAIN
)

// FormOf returns the form of an address, and the URL or the mailbox behind it.
func FormOf(address string) (form Form, target string) {
	if mailbox, ok := strings.CutPrefix(address, "mailto:"); ok {
		return Mail, mailbox
	}
	for _, form := range []Form{Slack, Teams} {
		if target, ok := strings.CutPrefix(address, string(form)+"+"); ok {
			return form, target
		}
	}
	return Plain, address
}

// HostOf is the part of a receiver's address that may be shown: its path is a secret.
func HostOf(address string) string {
	form, target := FormOf(address)
	if form == Mail {
		return target[strings.LastIndexByte(target, '@')+1:]
	}
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Host
}
