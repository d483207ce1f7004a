package browsertest

import (
	"fmt"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/balerhq/baler/internal/testkit"
)

// The README's picture of a terminal shows what the program prints, in its colors.
func TestTerminalPicture(t *testing.T) {
	t.Parallel()
	if *screenshots == "" {
		t.Skip("it takes a picture, and none is wanted: make screenshots")
	}
	program, err := testkit.Program()
	testkit.Must(t, err)
	home := t.TempDir()
	for i := range 1200 {
		testkit.WriteFile(t, filepath.Join(home, "collection", "letters", fmt.Sprintf("letter-%d.txt", i)), "Dear reader\n")
	}
	for i := range 300 {
		testkit.WriteFile(t, filepath.Join(home, "collection", "index", fmt.Sprintf("%d.json", i)), `{"pages": 12}`)
	}
	testkit.WriteFile(t, filepath.Join(home, "collection", "index", "all.json"), `{"pages": `)
	testkit.WriteFile(t, filepath.Join(home, "intake.yaml"), "name: intake\nsteps:\n  - handler: checksum\n  - handler: identify\n  - handler: validate\n")

	var text strings.Builder
	for _, line := range []string{"baler run --recipe intake.yaml --name letters collection", "baler status"} {
		cmd := exec.CommandContext(t.Context(), program, append(strings.Fields(line)[1:], "--color", "always")...)
		cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output() // some files fail, so that the exit code is 3
		if len(out) == 0 {
			t.Fatalf("%s: %v", line, err)
		}
		text.WriteString("\x1b[2m$\x1b[0m " + line + "\n" + strings.TrimRight(strings.ReplaceAll(string(out), home, "/home/ada"), "\n") + "\n\n")
	}
	// The style of the codes that the program writes.
	page := regexp.MustCompile(`\x1b\[(\d+)m`).ReplaceAllStringFunc(html.EscapeString(text.String()), func(code string) string {
		if code == "\x1b[0m" {
			return "</span>"
		}
		return `<span class="c` + code[2:len(code)-1] + `">`
	})
	page = `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #15181c; color: #d6dbe1; }
main { padding: 20px 24px; font: 15px/1.45 "DejaVu Sans Mono", monospace; white-space: pre; }
.c1 { font-weight: bold } .c2 { color: #7d8894 } .c31 { color: #ff7b72 } .c32 { color: #56d364 } .c33 { color: #e3b341 } .c36 { color: #76c7d8 }
</style><main>` + strings.TrimRight(page, "\n") + "</main>"
	b := browse(t, "data:text/html;charset=utf-8,")
	b.look(t, 900, 470, "dark")
	b.open(t, url.PathEscape(page))
	b.says(t, "letters")
	var png []byte
	b.run(t, chromedp.Screenshot("main", &png, chromedp.ByQuery))
	testkit.Must(t, os.WriteFile(filepath.Join(*screenshots, "terminal.png"), png, 0o600))
}
