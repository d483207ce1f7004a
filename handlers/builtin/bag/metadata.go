package bag

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// metadataFolder is the folder of a bag for what other final steps have written.
const metadataFolder = "metadata"

// checkMetadata reports paths that cannot be tag files side by side.
func checkMetadata(paths []string) error {
	used := make(map[string]string)
	for _, p := range paths {
		name := filepath.Base(p)
		if p == "" || strings.HasSuffix(p, "/") || name == "." || name == ".." || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return fmt.Errorf("%q is not the path of a file: name files that final steps before this one write", p)
		}
		// Some file systems do not distinguish small and capital letters.
		if other, ok := used[strings.ToLower(name)]; ok {
			return fmt.Errorf("%q and %q have the same name, and would be one file of the bag", other, p)
		}
		used[strings.ToLower(name)] = p
	}
	return nil
}

// writeMetadata copies what final steps before this one have written into tag files. When one
// of them has failed, what is there may be of an earlier run.
func (b *bagWriter) writeMetadata(tag func(string, func(io.Writer) error) error) error {
	if len(b.args.Metadata) == 0 {
		return nil
	}
	t := b.job.Transfer()
	for _, s := range t.Finalizers {
		if s.State == tasks.FinalizeFailed {
			return handlers.Fail(CodeMetadata, fmt.Errorf("the final step %s has failed, so the bag's metadata may be old or missing: "+
				"mend it and run both again with 'baler retry --finalizers', or move the step behind this one", s.Name))
		}
	}
	if err := b.dir.Mkdir(metadataFolder, 0o755); err != nil {
		return handlers.WriteFailure(metadataFolder, err)
	}
	for _, from := range b.args.Metadata {
		err := tag(path.Join(metadataFolder, filepath.Base(from)), func(w io.Writer) error { return b.job.CopyWritten(from, w) })
		if err != nil {
			return err
		}
	}
	return nil
}
