// Package address parses the addresses of buckets in object storage.
package address

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// maxKey is how long a key may be, in bytes, in each of the services.
const maxKey = 1024

// parameters are those that an address may have. None is, or leads to, a secret.
func parameters(scheme string) []string {
	switch scheme {
	case "s3":
		return []string{"region", "endpoint", "use_path_style", "anonymous", "profile"}
	case "gs":
		return []string{"anonymous"}
	case "azblob":
		return []string{"storage_account", "domain", "protocol", "localemu"}
	}
	return nil
}

// Parse splits an address such as s3://bucket/prefix?region=eu-west-1 into the path
// and the parameters. One slash at the end of the path is dropped. A prefix that has a
// question mark itself has it as %3F. An error shows neither a user nor a parameter's value.
func Parse(address string) (path string, params url.Values, err error) {
	path, query, _ := strings.Cut(address, "?")
	scheme, rest, _ := strings.Cut(path, "://")
	if !tasks.IsObject(path) {
		return "", nil, errors.New("an address in object storage begins with s3://, gs:// or azblob://")
	}
	bucket, _, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(bucket, "@"):
		return "", nil, fmt.Errorf(
			"an address such as %s://bucket has no user and password: credentials come from the environment alone", scheme)
	case bucket == "" || strings.ContainsFunc(bucket, notInBucket):
		return "", nil, fmt.Errorf("%s:// is followed by the name of a bucket, which has letters, digits, dots, dashes and underscores", scheme)
	}
	if params, err = parseParameters(scheme, query); err != nil {
		return "", nil, err
	}
	path = strings.ReplaceAll(strings.TrimSuffix(path, "/"), "%3F", "?")
	if _, key := tasks.SplitObject(path); len(key) > maxKey || strings.Contains(key, "\x00") || !utf8.ValidString(key) {
		return "", nil, fmt.Errorf("a prefix is text in UTF-8 of at most %d bytes, without NUL", maxKey)
	}
	return path, params, nil
}

func notInBucket(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_' && r != '$'
}

// parseParameters parses what follows the question mark.
func parseParameters(scheme, query string) (url.Values, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("what follows the question mark is not a list of parameters; write a question mark of a key as %3F")
	}
	known := parameters(scheme)
	for name, values := range params {
		switch {
		case !slices.Contains(known, name):
			return nil, fmt.Errorf(
				"an address such as %s://bucket has no parameter %s; it knows %s, and credentials come from the environment alone",
				scheme, shownName(name), strings.Join(known, ", "))
		case len(values) != 1 || values[0] == "":
			return nil, fmt.Errorf("the parameter %s must be given once, with a value", name)
		}
		if err := checkParameter(name, values[0]); err != nil {
			return nil, err
		}
	}
	return params, nil
}

// shownName is the name of an unknown parameter, unless it may be a secret itself.
func shownName(name string) string {
	if len(name) > 30 {
		return "of this name"
	}
	return strconv.Quote(name)
}

func checkParameter(name, value string) error {
	switch name {
	case "use_path_style", "anonymous", "localemu":
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("the parameter %s is true or false", name)
		}
	case "protocol":
		if value != "http" && value != "https" {
			return errors.New("the parameter protocol is http or https")
		}
	case "endpoint":
		return checkEndpoint(value)
	}
	return nil
}

func checkEndpoint(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("the parameter endpoint is a URL such as https://s3.example.org")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the parameter endpoint has no user, password or parameters: credentials come from the environment alone")
	}
	return nil
}
