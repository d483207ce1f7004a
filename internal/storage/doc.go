// Package storage reads and writes objects in object storage: S3 and what speaks its
// protocol, Google Cloud Storage, and Azure Blob Storage.
//
// An object's path is scheme://bucket/key, see tasks.IsObject. How a bucket is reached is
// not part of it: the region, the endpoint and the like come from the environment of each
// process, or from the parameters of an address that this process was given (Buckets.Add).
// Credentials come from the environment alone. No error shows either.
package storage
