package dsn

import (
	"errors"
	"net/url"
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
