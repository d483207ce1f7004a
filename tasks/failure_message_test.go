package tasks_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

func TestFailuresOfOneKindHaveOneMessage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"open /a/b c.txt: no space left on device":          "open …: no space left on device",
		"open /a/d: no space left on device\nat line 3":     "open …: no space left on device",
		"copy /a/b to /c/d":                                 "copy … to …",
		`cannot decode "scan 0001.tif": strip 17 of 40`:     "cannot decode …: strip … of …",
		"can't read 'IMG_1.jpg', it isn't a JPEG":           "can't read …, it isn't a JPEG",
		"frame 12 at 00:01:02.500 is damaged":               "frame … at … is damaged",
		"job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is lost":  "job … is lost",
		"digest d41d8cd98f00b204e9800998ecf8427e, expected": "digest …, expected",
		`C:\data\x.doc: sharing violation`:                  "…: sharing violation",
		"get s3://films/reel 7/a b.mkv: access denied":      "get …: access denied",
		"copy s3://films/a:1 to gs://copies/b:2":            "copy … to …",
		"read (s3://films/x.mkv), then stopped":             "read (…), then stopped",
		"get http://127.0.0.1:9000/films/x?a=1: timeout":    "get …: timeout",
		"input/output error":                                "input/output error",
		"  \n":                                              "exit code 3",
		"":                                                  "exit code 3",
	} {
		if got := tasks.FailureMessage(text, 3); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := tasks.FailureMessage("", 0); got != "" {
		t.Errorf("of no error it returned %q", got)
	}
	long := tasks.FailureMessage(strings.Repeat("é", 1<<20), 0)
	if n := utf8.RuneCountInString(long); n > tasks.MaxFailureMessage || n < 100 || !utf8.ValidString(long) {
		t.Errorf("a long line became %d characters", n)
	}
}
