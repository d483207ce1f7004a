package systemtest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// BenchmarkPipeline measures files a second through the whole system, for a
// step that does nothing, on real servers.
func BenchmarkPipeline(b *testing.B) {
	for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
		b.Run(string(via), func(b *testing.B) {
			c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + b.TempDir()}})
			if err != nil {
				b.Fatal(err)
			}
			c.Redis.URL, c.Database.URL, c.Roots = testkit.Redis(b), testkit.MySQL(b), testkit.Roots()
			pipeline(b, c, via)
		})
	}
}

func pipeline(b *testing.B, c config.Config, via tasks.Via) {
	const files = 50_000
	root := testkit.NumberedTree(b, files)
	s := open(b, c, nil)
	work(b, s)
	b.ResetTimer()
	for b.Loop() {
		tr, _, err := s.Submit(b.Context(), baler.Submission{Paths: []string{root}, Via: via, Recipe: builtinRecipe(b, "noop")})
		if err != nil {
			b.Fatal(err)
		}
		if tr = wait(b, s, tr.UUID); tr.Finished != files {
			b.Fatalf("%d of %d files finished", tr.Finished, files)
		}
	}
	b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkRun measures what baler run does with its embedded queue and database.
func BenchmarkRun(b *testing.B) {
	for name, paths := range map[string]func() string{
		"default": func() string { return filepath.Join(runtime.GOROOT(), "src") }, //nolint:staticcheck // a test runs with the go command
		"noop":    func() string { return testkit.NumberedTree(b, 50_000) },
	} {
		b.Run(name, func(b *testing.B) {
			root := paths()
			for b.Loop() {
				c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + b.TempDir()}})
				if err != nil {
					b.Fatal(err)
				}
				s, err := baler.Open(b.Context(), c, baler.Options{Registry: builtin.Registry()})
				if err != nil {
					b.Fatal(err)
				}
				ran, err := s.Run(b.Context(), baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(b, name)})
				if err != nil || ran.Transfer.Files == 0 {
					b.Fatalf("%d files: %v", ran.Transfer.Files, err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
