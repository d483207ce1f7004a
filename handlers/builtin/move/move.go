// Package move moves files to another folder, and removes them only when what has arrived
// was compared.
package move

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	copyfile "github.com/balerhq/baler/handlers/builtin/copy"
	"github.com/balerhq/baler/internal/ctxio"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/tasks"
)

// Register adds the handler move to a registry; see New.
func Register(reg *handlers.Registry) error {
	return copyfile.RegisterCopying(reg, "move",
		"moves files to another folder or into object storage: removes them when what has arrived was compared", New(), docs())
}

// New copies each file as the handler copy does, and then removes it, if it is as it was when it was copied. A file that is gone,
// because an earlier attempt has removed it, has succeeded when the file at the destination
// is the same: by the sha256 that an earlier step recorded, else by size and modification
// time. Facts: copied_to, and the sha256 and size of the moved file.
func New() handlers.Handler { return copyfile.Each("move", move) }

func move(ctx context.Context, job *handlers.Job, args copyfile.Args) error {
	if tasks.IsObject(job.File().Path) {
		return handlers.Fail(handlers.CodeBadArgs, errors.New("objects are not removed, so they cannot be moved: use the handler copy"))
	}
	path := job.DestinationIn(args.To)
	copied, before, err := copyfile.To(ctx, job, path, args.Replace)
	var v *handlers.Verdict
	if errors.As(err, &v) && v.Code == handlers.CodeNotFound {
		return moved(ctx, job, path, err)
	}
	if err != nil {
		return err
	}
	failpoint.Point(failpoint.CopyVerified)
	return job.RemoveSource(copied, before)
}

// tick is how exactly modification times are recorded.
const tick = time.Microsecond

// moved ends a file that is gone: well if an earlier attempt has moved it, else with the
// error of opening it.
func moved(ctx context.Context, job *handlers.Job, path string, gone error) error {
	f, created, err := job.Created(path)
	if err != nil {
		return gone
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, ctxio.NewReader(ctx, job.ReadProgress(f, created.Size))); err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	created.SHA256 = hex.EncodeToString(digest.Sum(nil))
	recorded, _ := job.Fact("sha256")
	want, known := recorded.(string)
	same := strings.EqualFold(want, created.SHA256)
	if !known {
		was := job.File()
		same = created.Size == was.Size && !was.MTime.IsZero() && info.ModTime().Truncate(tick).Equal(was.MTime.Truncate(tick))
	}
	if !same {
		return fmt.Errorf("%w; what is at %s is another file", gone, created.Path)
	}
	job.WriteOutput([]byte("an earlier attempt has moved the file\n"))
	return errors.Join(job.SetFact("copied_to", created.Path), job.SetFact("sha256", created.SHA256), job.SetFact("size", created.Size))
}
