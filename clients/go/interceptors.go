package absfin

import (
	"context"
	"crypto/rand"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// Methods that the server does once for each request_id, so that gRPC may repeat them.
var identified = map[string]bool{
	absfinancev1.OptimizationService_Optimize_FullMethodName:     true,
	absfinancev1.BacktestService_Backtest_FullMethodName:         true,
	absfinancev1.BacktestService_Sweep_FullMethodName:            true,
	absfinancev1.ReallocationService_Reallocate_FullMethodName:   true,
	absfinancev1.PortfolioService_CreatePortfolio_FullMethodName: true,
}

func unaryInterceptor(timeout time.Duration) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, request, answer any,
		connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		if _, limited := ctx.Deadline(); !limited && timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		if message, ok := request.(proto.Message); ok && identified[method] {
			request = withRequestID(message)
		}
		return typed(invoke(ctx, method, request, answer, connection, options...))
	}
}

// withRequestID returns the request with an id of its own, or as it is where the caller has given one. The caller's
// message is not changed, so that it can be sent again as another request; large fields are shared and not copied.
func withRequestID(request proto.Message) proto.Message {
	given := request.ProtoReflect()
	field := given.Descriptor().Fields().ByName("request_id")
	if field == nil || given.Get(field).String() != "" {
		return request
	}
	sent := given.New()
	given.Range(func(other protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		sent.Set(other, value)
		return true
	})
	sent.SetUnknown(given.GetUnknown())
	sent.Set(field, protoreflect.ValueOfString(rand.Text()))
	return sent.Interface()
}

func streamInterceptor(
	ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, typed(err)
	}
	return typedStream{stream}, nil
}

// typedStream has the errors of the client.
type typedStream struct{ grpc.ClientStream }

func (s typedStream) RecvMsg(message any) error { return typed(s.ClientStream.RecvMsg(message)) }

func (s typedStream) SendMsg(message any) error { return typed(s.ClientStream.SendMsg(message)) }
