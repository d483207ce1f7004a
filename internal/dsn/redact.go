package dsn

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// hidden stands in for a password.
const hidden = "xxxxx"

// HidePassword returns a URL's user for people to see; nil without user and password.
func HidePassword(user, password string) *url.Userinfo {
	switch {
	case password != "":
		return url.UserPassword(user, hidden)
	case user != "":
		return url.User(user)
	}
	return nil
}

// Cause returns what is wrong with a URL, without the URL, which may hold a
// password. err is an error of url.Parse.
func Cause(err error) error {
	ue, ok := errors.AsType[*url.Error](err)
	if !ok {
		return errors.New("is not a URL")
	}
	if _, ok := errors.AsType[url.EscapeError](ue.Err); ok {
		return errors.New("contains an invalid %-escape; write %25 for % in a user name or password")
	}
	return errors.New("is not a URL; write characters such as @ : / # in a user name or password as %40 %3A %2F %23")
}

// Quote quotes a value that is none of the ones expected, for an error. It does not
// show one that may be a URL with a secret in it, which was set in the wrong place.
func Quote(value string) string {
	if MayBeURL(value) {
		return "the value"
	}
	return strconv.Quote(value)
}

// MayBeURL reports whether a value may be a URL, or a part of one that may hold a
// secret, however malformed it is.
func MayBeURL(value string) bool {
	return strings.ContainsAny(value, "@?#&") || strings.Contains(value, "//") || strings.Contains(value, ":/")
}
