package handlers

import (
	"fmt"
	"github.com/balerhq/baler/tasks"
)

// Builtin is a new registry with the handlers that come with Baler: checksum,
// identify, load and noop for files, manifest, report and bag for closing
// steps. Further ones can be registered beside them.
func Builtin() *Registry {
	r := &Registry{}
	must(r.Register("checksum", newChecksum(),
		WithDescription("digests of the content, any of md5, sha1, sha256 and sha512, in one read"),
		WithBatch(tasks.BatchPolicy{MaxItems: 500, MaxBytes: 256 << 20}),
		WithArgsCheck(checkChecksumArgs)))
	must(r.Register("identify", newIdentify(),
		WithDescription("file format by PRONOM signatures"),
		WithBatch(tasks.BatchPolicy{MaxItems: 250}),
		WithArgsCheck(readBy(scanLimit))))
	must(r.Register("load", newLoad(),
		WithDescription("JSON lines into a table of the database"),
		WithBatch(tasks.BatchPolicy{MaxItems: 64, MaxBytes: 8 << 20}),
		WithArgsCheck(readBy(loadPlan))))
	must(r.Register("noop", newNoop(),
		WithDescription("nothing; to measure what everything else costs"),
		WithBatch(tasks.BatchPolicy{MaxItems: 1000})))
	must(r.RegisterFinalizer("manifest", manifest,
		WithDescription("list of digests, as sha256sum and its siblings check it"),
		WithArgsCheck(readBy(newManifestArgs))))
	must(r.RegisterFinalizer("report", report,
		WithDescription("JSON of the summary and of every file that failed"),
		WithArgsCheck(readBy(newReportArgs))))
	must(r.RegisterFinalizer("bag", bag,
		WithDescription("BagIt bag with copies of the files, checked by digest while they are copied"),
		WithArgsCheck(readBy(newBagArgs))))
	registerFaulty(r)
	return r
}

// must is for registrations that are written down above: one that is wrong is
// a defect of the program.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("built-in handlers: %v", err))
	}
}

// readBy checks arguments by having them read as the handler will.
func readBy[T any](read func(args any) (T, error)) func(args any) error {
	return func(args any) error {
		_, err := read(args)
		return err
	}
}
