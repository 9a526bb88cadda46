package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket keeps files in a bucket of a server that speaks S3.
type Bucket struct {
	client *minio.Client
	host   string
	bucket string
	prefix string // with a slash at the end, or empty
}

// A file larger than a part goes there in parts, so that a connection that
// breaks does not begin at nought.
const (
	partSize = 16 << 20
	retries  = 3
)

// Credentials are how a bucket knows us.
type Credentials struct{ Key, Secret string }

// NewBucket reads s3://HOST/BUCKET or s3://HOST/BUCKET/PREFIX, with ?region=NAME
// if there is one. s3+http:// is the same without TLS: what goes over the line
// is sealed and signed. It connects to nothing.
func NewBucket(where string, as Credentials) (*Bucket, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, errors.New("blob: the address of the bucket cannot be read")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	switch {
	case u.Scheme != "s3" && u.Scheme != "s3+http", u.Host == "", bucket == "", u.Fragment != "":
		return nil, errors.New("blob: a bucket is written as s3://host/bucket or s3://host/bucket/prefix")
	case u.User != nil:
		return nil, errors.New("blob: key and secret of a bucket do not belong in its address")
	case as.Key == "" || as.Secret == "":
		return nil, errors.New("blob: key and secret of the bucket are missing")
	}
	region := u.Query().Get("region")
	if region == "" {
		region = "us-east-1" // or it would be asked for
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(as.Key, as.Secret, ""), Secure: u.Scheme == "s3",
		Region: region, BucketLookup: minio.BucketLookupPath, MaxRetries: retries,
	})
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	if prefix != "" {
		prefix += "/"
	}
	return &Bucket{client: c, host: u.Host, bucket: bucket, prefix: prefix}, nil
}

func (b *Bucket) String() string { return "s3://" + path.Join(b.host, b.bucket, b.prefix) }

func (b *Bucket) key(n Name) string { return b.prefix + string(n) }

func (b *Bucket) adopt(ctx context.Context, n Name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := b.put(ctx, b.key(n), f, info.Size()); err != nil {
		return fmt.Errorf("blob: keep %s: %w", n, err)
	}
	return gone(os.Remove(file))
}

// put keeps an object, and asks afterwards how much of it is there: not every
// server that says it speaks S3 understands all of it.
func (b *Bucket) put(ctx context.Context, key string, r io.Reader, size int64) error {
	if _, err := b.client.PutObject(ctx, b.bucket, key, r, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1,
	}); err != nil {
		return err
	}
	kept, err := b.client.StatObject(ctx, b.bucket, key, minio.StatObjectOptions{})
	if err == nil && kept.Size != size {
		err = fmt.Errorf("the server keeps %d bytes of %d", kept.Size, size)
	}
	return err
}

func (b *Bucket) open(ctx context.Context, n Name) (io.ReadSeekCloser, error) {
	if _, err := ParseName(string(n)); err != nil {
		return nil, err
	}
	o, err := b.client.GetObject(ctx, b.bucket, b.key(n), minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("blob: %s: %w", n, err)
	}
	if _, err := o.Stat(); err != nil {
		_ = o.Close() // nothing was read
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, ErrNotThere
		}
		return nil, fmt.Errorf("blob: %s: %w", n, err)
	}
	return o, nil
}

func (b *Bucket) remove(ctx context.Context, n Name) error {
	if _, err := ParseName(string(n)); err != nil {
		return err
	}
	err := b.client.RemoveObject(ctx, b.bucket, b.key(n), minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fmt.Errorf("blob: remove %s: %w", n, err)
	}
	return nil
}

func (b *Bucket) each(ctx context.Context, do func(Info) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // the listing goes on in the background otherwise
	for o := range b.client.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix}) {
		if o.Err != nil {
			return fmt.Errorf("blob: %w", o.Err)
		}
		n, err := ParseName(strings.TrimPrefix(o.Key, b.prefix))
		if err != nil {
			continue // not ours
		}
		if err := do(Info{Name: n, Sealed: o.Size, Since: o.LastModified}); err != nil {
			return err
		}
	}
	return nil
}

// check keeps an object where the others are, and takes it away.
func (b *Bucket) check(ctx context.Context) error {
	const text = "can be written to"
	key := b.prefix + "check-" + string(newName())
	if err := b.put(ctx, key, strings.NewReader(text), int64(len(text))); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := b.client.RemoveObject(ctx, b.bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}
