package handlers

import (
	"reflect"
	"sync/atomic"
)

// OncePerArgs makes a function of decode that decodes arguments once for all jobs that
// share them, such as those of a batch whose arguments do not depend on the file. So the
// jobs also share what decode returns, which must not be changed. It is safe for
// concurrent use.
func OncePerArgs[T any](decode func(args any) (T, error)) func(args any) (T, error) {
	type decoded struct {
		args  any
		value T
		err   error
	}
	var last atomic.Pointer[decoded]
	return func(args any) (T, error) {
		if d := last.Load(); d != nil && sameMap(d.args, args) {
			return d.value, d.err
		}
		value, err := decode(args)
		last.Store(&decoded{args, value, err})
		return value, err
	}
}

// sameMap reports whether a and b are one map, not only equal ones.
func sameMap(a, b any) bool {
	x, isMap := a.(map[string]any)
	y, both := b.(map[string]any)
	return isMap && both && reflect.ValueOf(x).UnsafePointer() == reflect.ValueOf(y).UnsafePointer()
}
