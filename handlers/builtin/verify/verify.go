// Package verify compares files with their digests in lists, sidecars and bags.
package verify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/tasks"
)

// The codes of verify.
const (
	CodeNotListed     = "not-listed"      // no list, sidecar or bag has the file
	CodeNotInManifest = "not-in-manifest" // the file is in the payload of a bag, and no manifest lists it
	CodeListedMissing = "listed-missing"  // the file is a list, and files that it lists do not exist
	CodeBadList       = "bad-list"        // a list cannot be read
)

// missingShown is how many missing files a result names.
const missingShown = 10

type verifyArgs struct {
	Lists    []string `json:"lists"`
	Sidecars bool     `json:"sidecars"`
	Bags     bool     `json:"bags"`
	Unlisted string   `json:"unlisted"`
}

type verifier struct {
	lists  *lists
	reader *checksum.Reader
}

// Register adds the handler verify, see New, and the final step verify, see Finalize, to a
// registry.
func Register(reg *handlers.Registry) error {
	return errors.Join(reg.Register("verify", New(), docs(),
		handlers.WithDescription("compares files with checksum lists, sidecars and manifests of bags"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 500, MaxBytes: 256 << 20}),
		handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFacts("verified", "verified_by", "md5", "sha1", "sha224", "sha256", "sha384", "sha512")),
		reg.RegisterFinalizer("verify", Finalize,
			handlers.WithDescription("compares the transfer's files with checksum lists: no listed file may be missing"),
			handlers.WithArgsCheck(handlers.CheckWith(completeArgsOf)), handlers.WithInputs(completeInputs)))
}

// New makes a handler that compares each file with its digests in
//
//   - the lists in the argument "lists" (absolute paths), and lists with usual names in the
//     file's folder and the folders above it: MD5SUMS, sha256sum.txt, checksums.sha512 …
//   - sidecars, such as photo.tif.md5 beside photo.tif, with or without a name in it;
//     "sidecars": false turns off sidecars and lists that the argument does not name
//   - the manifests of the bag that holds the file; "bags": false turns this off
//
// Every listed digest must be right. A file that is not listed is skipped, or fails with
// "unlisted": "failed"; in a bag's payload it always fails. A list among the files fails when
// files that it lists do not exist.
//
// Facts: verified, the algorithms that were compared; verified_by, the lists; and the digests.
// The handler does not read a file again when an earlier step has recorded its digest.
func New() handlers.Handler {
	v := &verifier{lists: newLists(), reader: checksum.NewReader()}
	return handlers.PerFile(v.file, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (verifyArgs, error) {
	a := verifyArgs{Sidecars: true, Bags: true, Unlisted: "skipped"}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.Unlisted != "skipped" && a.Unlisted != "failed" {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unlisted is %q; it must be skipped or failed", a.Unlisted))
	}
	return a, checkLists(a.Lists)
}

func checkLists(paths []string) error {
	for _, path := range paths {
		if !isWhole(path) {
			return handlers.Fail(handlers.CodeBadArgs, fmt.Errorf(
				"the list %q is not an absolute path; it must be one, because workers run in other folders", path))
		}
	}
	return nil
}

func (v *verifier) file(ctx context.Context, job *handlers.Job) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	known, inPayload, err := v.find(job, &args)
	if err != nil {
		return err
	}
	if len(known) == 0 && !isList(tasks.BaseName(job.File().Path)) {
		switch {
		case inPayload:
			return handlers.Fail(CodeNotInManifest, errors.New("the file is in the payload of a bag, and no manifest lists it"))
		case args.Unlisted == "failed":
			return handlers.Fail(CodeNotListed, errors.New("no list, sidecar or bag has a digest of the file"))
		}
		return handlers.Skip(CodeNotListed, "no list, sidecar or bag has a digest of the file")
	}
	if err := v.compare(ctx, job, known); err != nil {
		return err
	}
	return v.complete(ctx, job, &args, len(known) > 0)
}

// expectation is a listed digest of the file.
type expectation struct {
	entry

	list string
}

// find returns the listed digests of the file, and whether it is in the payload of a bag.
func (v *verifier) find(job *handlers.Job, args *verifyArgs) (known []expectation, inPayload bool, err error) {
	file := job.File().Path
	take := func(l *list) {
		if l == nil {
			return
		}
		if e, ok := l.entries[file]; ok {
			known = append(known, expectation{e, l.path})
		}
	}
	for _, path := range args.Lists {
		l, err := v.lists.get(job, path)
		if err != nil {
			return nil, false, err
		}
		if l == nil {
			return nil, false, handlers.Fail(CodeBadList, fmt.Errorf("the list %s is missing, or outside the folders that may be read", path))
		}
		take(l)
	}
	var paths []string
	if args.Sidecars {
		if err := sidecars(job, take); err != nil {
			return nil, false, err
		}
		for dir := range above(file) {
			paths = append(paths, joinAll(dir, listNames())...)
		}
	}
	if args.Bags {
		bag, err := v.bagOf(job)
		if err != nil {
			return nil, false, err
		}
		if bag != "" {
			inPayload = below(file, join(bag, "data"))
			paths = append(paths, joinAll(bag, manifestNames())...)
		}
	}
	for _, path := range paths {
		if slices.Contains(args.Lists, path) {
			continue
		}
		l, err := v.lists.get(job, path)
		if err != nil {
			return nil, false, err
		}
		take(l)
	}
	return known, inPayload, nil
}

// sidecars reads the lists that are named after the file.
func sidecars(job *handlers.Job, take func(*list)) error {
	for _, extension := range sidecarExtensions() {
		l, err := sidecar(job, job.File().Path+extension)
		if err != nil {
			return err
		}
		take(l)
	}
	return nil
}

func joinAll(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = join(dir, name)
	}
	return paths
}

// below reports whether a path lies in a folder, or in one below it.
func below(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, folder)
	return ok && rest != "" && (rest[0] == '/' || rest[0] == filepath.Separator)
}

// bagOf returns the innermost bag that holds the file, or "".
func (v *verifier) bagOf(job *handlers.Job) (string, error) {
	for dir := range above(job.File().Path) {
		l, err := v.lists.get(job, join(dir, "bagit.txt"))
		if err != nil {
			return "", err
		}
		if l != nil {
			return dir, nil
		}
	}
	return "", nil
}

// compare compares the file with all of its listed digests.
func (v *verifier) compare(ctx context.Context, job *handlers.Job, known []expectation) error {
	if len(known) == 0 {
		return nil
	}
	var algorithms, by []string
	for _, k := range known {
		algorithms, by = append(algorithms, k.algorithm), append(by, k.list)
	}
	slices.Sort(algorithms)
	algorithms = slices.Compact(algorithms)
	digests, err := v.digests(ctx, job, algorithms)
	if err != nil {
		return err
	}
	var wrong []string
	for _, k := range known {
		if is := digests[k.algorithm]; is != k.digest {
			wrong = append(wrong, fmt.Sprintf("%s is %s, but %s, line %d, says %s", k.algorithm, is, k.list, k.line, k.digest))
		}
	}
	if wrong != nil {
		return handlers.Fail(handlers.CodeDigestMismatch, errors.New(strings.Join(wrong, "\n")))
	}
	return errors.Join(job.SetFact("verified", strings.Join(algorithms, " ")), job.SetFact("verified_by", by))
}

// digests returns the digests of the file: those that earlier steps have recorded, and the
// others by reading it.
func (v *verifier) digests(ctx context.Context, job *handlers.Job, algorithms []string) (map[string]string, error) {
	digests := make(map[string]string, len(algorithms))
	var missing []string
	for _, a := range algorithms {
		fact, _ := job.Fact(a)
		if digest, ok := fact.(string); ok {
			digests[a] = strings.ToLower(digest)
		} else {
			missing = append(missing, a)
		}
	}
	if missing == nil {
		return digests, nil
	}
	read, err := v.reader.Digests(ctx, job, missing)
	if err != nil {
		return nil, err
	}
	for _, a := range missing {
		digests[a] = read[a]
		if err := job.SetFact(a, read[a]); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// complete checks that the files exist that the job's file lists, if it is a list.
func (v *verifier) complete(ctx context.Context, job *handlers.Job, args *verifyArgs, listed bool) error {
	path := job.File().Path
	if name := tasks.BaseName(path); !slices.Contains(args.Lists, path) &&
		(!isList(name) || isManifest(name) && !args.Bags || !isManifest(name) && !args.Sidecars) {
		return nil
	}
	l, err := v.lists.get(job, path)
	if err != nil {
		return err
	}
	if l == nil || len(l.entries) == 0 {
		if listed {
			return nil // it is verified as a file, although its name is that of a list
		}
		return handlers.Skip(CodeNotListed, "no list has the file, and it has no digests although its name is that of a list")
	}
	var missing []string
	gone := 0
	for i, file := range l.order {
		if i%100 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		f, err := job.OpenOther(file)
		if err == nil {
			_ = f.Close() // it exists
			continue
		}
		if !absent(err) {
			continue // it exists; its own job reports why it cannot be read
		}
		if gone++; len(missing) < missingShown {
			missing = append(missing, fmt.Sprintf("%q", file))
		}
	}
	if gone > 0 {
		if more := gone - len(missing); more > 0 {
			missing = append(missing, fmt.Sprintf("… and %d more", more))
		}
		return handlers.Fail(CodeListedMissing, fmt.Errorf("%d of %s in the list missing: %s",
			gone, english.Plural(len(l.order), "file", ""), strings.Join(missing, ", ")))
	}
	if l.malformed > 0 {
		return handlers.Warn(CodeBadList, fmt.Sprintf("%s without a digest and a name; the first is line %d",
			english.Plural(l.malformed, "line", ""), l.first))
	}
	return nil
}
