package address_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3://films":                        "s3://films",
		"s3://films/":                       "s3://films",
		"s3://films/a b/../ü//":             "s3://films/a b/../ü/",
		"s3://films/100%25":                 "s3://films/100%25",
		"s3://films/why%3F":                 "s3://films/why?",
		"s3://f/p?region=eu-west-1":         "s3://f/p",
		"gs://films/p?anonymous=true":       "gs://films/p",
		"azblob://$web/p?storage_account=a": "azblob://$web/p",
		"s3://f?endpoint=http://127.0.0.1:9000&use_path_style=true": "s3://f",
	} {
		path, _, err := address.Parse(text)
		if err != nil || path != want {
			t.Errorf("%s: %q, %v; want %q", text, path, err, want)
		}
	}
}

// No error shows what may be a secret.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3://AKIA:hush@films/p":                        "no user and password",
		"s3://":                                         "name of a bucket",
		"s3:///key":                                     "name of a bucket",
		"s3://a bucket/p":                               "name of a bucket",
		"s3://films/why?":                               "",
		"s3://films/why?yes":                            `no parameter "yes"`,
		"s3://films?secret=hush":                        `no parameter "secret"`,
		"s3://films?X-Amz-Signature=hush":               `no parameter "X-Amz-Signature"`,
		"azblob://c?sig=hush":                           `no parameter "sig"`,
		"s3://films?" + strings.Repeat("hush", 20):      "of this name",
		"s3://films?region=":                            "with a value",
		"s3://films?region=a&region=b":                  "once",
		"s3://films?use_path_style=hush":                "true or false",
		"s3://films?endpoint=http://u:hush@h":           "no user",
		"s3://films?endpoint=http://h?token=hush":       "no user",
		"s3://films?endpoint=127.0.0.1":                 "is a URL",
		"s3://films?a;b":                                "list of parameters",
		"gs://films?region=x":                           `no parameter "region"`,
		"s3://films/" + strings.Repeat("k", 1025):       "1024 bytes",
		"s3://films/\xff":                               "UTF-8",
		"http://films":                                  "begins with s3://",
		"azblob://c?protocol=ftp":                       "http or https",
		"s3://films?endpoint=http://h%3Fpassword=hush ": "no user",
	} {
		_, _, err := address.Parse(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush")):
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestSplitList(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{
		"":                         nil,
		"/a:/b":                    {"/a", "/b"},
		"s3://films/p:/b:gs://c":   {"s3://films/p", "/b", "gs://c"},
		"/a:s3://films:s3://other": {"/a", "s3://films", "s3://other"},
		"s3://f?endpoint=http://127.0.0.1:9000&region=x:/b:azblob://c": {"s3://f?endpoint=http://127.0.0.1:9000&region=x", "/b", "azblob://c"},
		"s3://f?endpoint=https://h:gs://c?anonymous=true:/b":           {"s3://f?endpoint=https://h", "gs://c?anonymous=true", "/b"},
		"s3:/b": {"s3", "/b"},
	} {
		if got := address.SplitList(list); !slices.Equal(got, want) {
			t.Errorf("%q: %q", list, got)
		}
	}
}
