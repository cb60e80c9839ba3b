package com.example;

import com.example.absfinance.v1.MinRisk;
import com.example.absfinance.v1.Moments;
import com.example.absfinance.v1.Objective;
import com.example.absfinance.v1.Optimization;
import com.example.absfinance.v1.OptimizationServiceGrpc;
import com.example.absfinance.v1.OptimizeRequest;
import io.grpc.Channel;

/** What a caller writes. */
final class Caller {
  private Caller() {}

  /** Returns the portfolio of two assets with the least variance. */
  static Optimization minimumVariance(Channel channel) {
    Moments moments =
        Moments.newBuilder()
            .addSymbols("A")
            .addSymbols("B")
            .addCovariance(0.04)
            .addCovariance(0.01)
            .addCovariance(0.01)
            .addCovariance(0.09)
            .setPeriodsPerYear(12)
            .build();
    OptimizeRequest request =
        OptimizeRequest.newBuilder()
            .setMoments(moments)
            .setObjective(Objective.newBuilder().setMinRisk(MinRisk.getDefaultInstance()))
            .build();
    return OptimizationServiceGrpc.newBlockingStub(channel).optimize(request);
  }
}
