//go:build failpoint && !unix

package faulty

import "errors"

// count counts nothing here: the tests of limits run on Unix.
func count(string) (end func(), err error) { return nil, errors.New("count: not on this system") }
