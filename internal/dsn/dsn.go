// Package dsn parses the addresses of databases. It opens nothing.
package dsn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Database is a database's address in parts.
type Database struct {
	Driver string // "sqlite" or "mysql"; MariaDB counts as MySQL

	Path string // SQLite: the file

	User, Password string // MySQL
	Host           string // with its port; "" with a socket
	Socket         string // the path of the server's Unix socket
	Name           string
	Params         url.Values // as the MySQL driver takes them
}

// Parse reads "sqlite:PATH", "mysql://user:password@host:3306/name?…" or
// "mysql://user:password@/name?socket=PATH". It rejects unknown options, and it
// rejects character sets and collations other than those of utf8mb4. Its errors
// never repeat the text, which may hold a password.
func Parse(s string) (Database, error) {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		path, authority := strings.CutPrefix(path, "//")
		if authority && strings.Contains(path, "@") {
			return Database{}, errors.New("sqlite: has neither user nor host; write a path, as sqlite:/var/lib/baler/baler.db")
		}
		return parseSQLite(path)
	}
	if !strings.HasPrefix(s, "mysql://") {
		return Database{}, errors.New("must be sqlite:PATH or mysql://user:password@host:3306/name")
	}
	u, err := url.Parse(s)
	if err != nil {
		return Database{}, Cause(err)
	}
	params, err := mysqlOptions().Parse(u.RawQuery)
	if err == nil {
		err = errors.Join(CheckPort(u), checkValues(params))
	}
	if err != nil {
		return Database{}, err
	}
	if err := checkCharset(params); err != nil {
		return Database{}, err
	}
	if mode := params.Get("tls"); !slices.Contains([]string{"", "true", "false", "skip-verify", "preferred"}, mode) {
		return Database{}, errors.New("tls must be true, false, skip-verify or preferred")
	}
	socket := params.Get("socket")
	params.Del("socket")
	name := strings.TrimPrefix(u.Path, "/")
	host, err := hostOf(u, socket)
	if err != nil {
		return Database{}, err
	}
	if name == "" || strings.ContainsAny(name, "/@") { // an @ is that of a password with a /
		return Database{}, errors.New("must name a host and a database, as mysql://user:password@host:3306/name")
	}
	d := Database{Driver: "mysql", User: u.User.Username(), Host: host, Socket: socket, Name: name, Params: params}
	d.Password, _ = u.User.Password() // without one it is empty, as it should be
	return d, nil
}

// CheckPort returns an error for a port that no server can have.
func CheckPort(u *url.URL) error {
	if u.Port() == "" {
		return nil
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
		return errors.New("has a port that is not a number from 1 to 65535")
	}
	return nil
}

// checkValues checks the options that the driver would refuse without a reason, or take
// although they are invalid.
func checkValues(params url.Values) error {
	for _, name := range []string{"timeout", "readTimeout", "writeTimeout"} {
		if value := params.Get(name); params.Has(name) {
			if d, err := time.ParseDuration(value); err != nil || d <= 0 {
				return fmt.Errorf("%s must be a positive duration, such as %s=5s", name, name)
			}
		}
	}
	for _, name := range []string{"allowCleartextPasswords", "allowNativePasswords", "compress"} {
		if params.Has(name) && !slices.Contains([]string{"true", "false"}, params.Get(name)) {
			return fmt.Errorf("%s must be true or false", name)
		}
	}
	return nil
}

// hostOf is the host of a MySQL URL with its port, "" with a socket.
func hostOf(u *url.URL, socket string) (string, error) {
	switch {
	case socket == "" && u.Hostname() == "":
		return "", errors.New("must name a host and a database, as mysql://user:password@host:3306/name, " +
			"or a socket, as mysql://user:password@/name?socket=/run/mysqld/mysqld.sock")
	case socket == "" && u.Port() == "":
		return net.JoinHostPort(u.Hostname(), "3306"), nil
	case socket == "":
		return u.Host, nil
	case u.Host != "" && u.Host != "localhost":
		return "", errors.New("names a host and a socket; leave one of them out")
	case !strings.HasPrefix(socket, "/"):
		return "", errors.New("socket must be an absolute path, as socket=/run/mysqld/mysqld.sock")
	}
	return "", nil
}

func parseSQLite(path string) (Database, error) {
	switch {
	case strings.TrimSpace(path) == "":
		return Database{}, errors.New("sqlite: needs a path, as sqlite:/var/lib/baler/baler.db")
	case strings.HasPrefix(path, ":memory:"), strings.HasPrefix(path, "file:"):
		return Database{}, errors.New("sqlite: needs the path of a file, as sqlite:/var/lib/baler/baler.db; " +
			"a database in memory would be lost at the end of each command, and with it the results")
	case strings.Contains(path, "\x00"):
		return Database{}, errors.New("sqlite: no path holds a NUL byte")
	case strings.Contains(path, "?"):
		return Database{}, errors.New("sqlite: takes no options; leave out the ? and what follows")
	}
	return Database{Driver: "sqlite", Path: path}, nil
}

// checkCharset rejects character sets other than utf8mb4, also those set by a
// system variable: values are escaped for UTF-8, and in some other character
// sets an escaped quote could end a literal.
func checkCharset(params url.Values) error {
	for name, values := range params {
		name = strings.ToLower(name) // the server's variables have no case
		for _, value := range values {
			if isCharset := strings.Contains(name, "charset") || strings.Contains(name, "character_set"); isCharset && value != "utf8mb4" {
				return errors.New("must have no character set but utf8mb4; write charset=utf8mb4 or leave it out")
			}
			if strings.Contains(name, "collation") && !isCollation(value) {
				return errors.New("must have no collation but those of utf8mb4, as collation=utf8mb4_bin; or leave it out")
			}
		}
	}
	return nil
}

// isCollation reports whether a name is that of a collation of utf8mb4. It goes into
// a statement as it is.
func isCollation(name string) bool {
	rest, ok := strings.CutPrefix(name, "utf8mb4_")
	return ok && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// DriverDSN returns the address as the MySQL driver writes it, without user and
// password: set those in the Config that the driver parses from it.
func (d Database) DriverDSN() string {
	address := "tcp(" + d.Host + ")"
	if d.Socket != "" {
		address = "unix(" + d.Socket + ")"
	}
	return address + "/" + url.PathEscape(d.Name) + "?" + d.Params.Encode()
}

// Redacted returns the address for people to see, without the password and the
// parameters.
func (d Database) Redacted() string {
	if d.Driver == "sqlite" {
		return "sqlite:" + d.Path
	}
	params := url.Values{}
	if d.Socket != "" {
		params.Set("socket", d.Socket)
	}
	u := url.URL{
		Scheme: "mysql", User: HidePassword(d.User, d.Password), Host: d.Host, Path: "/" + d.Name, RawQuery: params.Encode(),
	}
	return u.String()
}
