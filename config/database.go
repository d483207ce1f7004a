package config

import (
	"errors"
	"net/url"
	"strings"
)

// DatabaseURL is a parsed database address.
type DatabaseURL struct {
	Driver string // "sqlite" or "mysql"; MariaDB counts as MySQL

	Path string // SQLite: the file

	User, Password string // MySQL
	Host           string // with its port
	Name           string
	Params         url.Values // as the MySQL driver takes them
}

// ParseDatabase reads "sqlite:PATH" or "mysql://user:password@host:3306/name?…".
// Its
// errors never contain s, which may hold a password.
func ParseDatabase(s string) (DatabaseURL, error) {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return DatabaseURL{}, errors.New("sqlite: needs a path, such as sqlite:/var/lib/baler/baler.db")
		}
		return DatabaseURL{Driver: "sqlite", Path: path}, nil
	}
	if !strings.HasPrefix(s, "mysql://") {
		return DatabaseURL{}, errors.New("must be sqlite:PATH or mysql://user:password@host:3306/name")
	}
	u, err := url.Parse(s)
	if err != nil {
		return DatabaseURL{}, cause(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	if u.Hostname() == "" || name == "" || strings.Contains(name, "/") {
		return DatabaseURL{}, errors.New("must name a host and a database, such as mysql://user:password@host:3306/name")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return DatabaseURL{}, errors.New("the part after ? must be name=value pairs joined by &")
	}
	d := DatabaseURL{Driver: "mysql", User: u.User.Username(), Host: withPort(u.Host, "3306"), Name: name, Params: params}
	d.Password, _ = u.User.Password() // without one it is empty
	return d, nil
}

// Redacted returns the address without its password.
func (d DatabaseURL) Redacted() string {
	if d.Driver == "sqlite" {
		return "sqlite:" + d.Path
	}
	u := url.URL{
		Scheme: "mysql", User: hidePassword(d.User, d.Password), Host: d.Host, Path: "/" + d.Name, RawQuery: d.Params.Encode(),
	}
	return u.String()
}

// hidden replaces a password.
const hidden = "xxxxx"

// hidePassword returns the login of an address with its password hidden; nil without
// a login.
func hidePassword(user, password string) *url.Userinfo {
	switch {
	case password != "":
		return url.UserPassword(user, hidden)
	case user != "":
		return url.User(user)
	}
	return nil
}

// cause returns what is wrong with a URL, without the URL, which may hold a password.
func cause(err error) error {
	ue, ok := errors.AsType[*url.Error](err)
	if !ok {
		return errors.New("is not a URL")
	}
	if _, ok := errors.AsType[url.EscapeError](ue.Err); ok {
		return errors.New("contains an invalid %-escape; write %25 for % in a user name or password")
	}
	return errors.New("is not a URL; write characters such as @ : / # in a user name or password as %40 %3A %2F %23")
}
