package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build describes how the program was built. It is the JSON object that version
// reports.
type build struct {
	Type     string `json:"type"` // always "version"
	Version  string `json:"version"`
	Commit   string `json:"commit"` // empty when it was not built from a checkout
	Date     string `json:"date"`   // of the commit
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildInfo() build {
	b := build{Type: "version", Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; b.Version == "dev" && v != "" && v != "(devel)" {
		b.Version = v // go install …@v1.2.3 sets no flags
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version",
		Long: `Version prints the version, the commit that it was built from, the version of Go and
the platform. The versions of workers are in 'baler workers'.`,
		Short:   "Print the version",
		Example: "  baler version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			if p.json {
				return p.object(b)
			}
			p.printf("baler %s (%s, %s)", b.Version, b.Go, b.Platform)
			if b.Commit != "" {
				modified := ""
				if b.Modified {
					modified = ", with changes"
				}
				p.printf("commit %s of %s%s", b.Commit, b.Date, modified)
			}
			return nil
		},
	}
}
