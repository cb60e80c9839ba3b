// What a caller writes: the request by field names, the method by its descriptor.
import { create } from "@bufbuild/protobuf";
import { OptimizationService, OptimizeRequestSchema } from "./absfinance/v1/optimization_service_pb.js";

export const method = OptimizationService.method.optimize;
export const request = create(OptimizeRequestSchema, {
  input: { case: "moments", value: { symbols: ["A", "B"], covariance: [0.04, 0.01, 0.01, 0.09], periodsPerYear: 12 } },
  objective: { kind: { case: "minRisk", value: {} } },
});
