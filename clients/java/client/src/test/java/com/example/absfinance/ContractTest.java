package com.example.absfinance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.absfinance.v1.AdminServiceGrpc;
import com.example.absfinance.v1.BacktestServiceGrpc;
import com.example.absfinance.v1.DataType;
import com.example.absfinance.v1.ErrorReason;
import com.example.absfinance.v1.EventServiceGrpc;
import com.example.absfinance.v1.LiquidityServiceGrpc;
import com.example.absfinance.v1.MarketDataServiceGrpc;
import com.example.absfinance.v1.OptimizationServiceGrpc;
import com.example.absfinance.v1.PortfolioServiceGrpc;
import com.example.absfinance.v1.ReallocationServiceGrpc;
import com.example.absfinance.v1.RiskServiceGrpc;
import com.example.absfinance.v1.StrategyServiceGrpc;
import com.example.absfinance.v1.Tensor;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the client makes of the contract. */
class ContractTest {
  private static final List<ServiceDescriptor> SERVICES =
      List.of(
          AdminServiceGrpc.getServiceDescriptor(),
          BacktestServiceGrpc.getServiceDescriptor(),
          EventServiceGrpc.getServiceDescriptor(),
          LiquidityServiceGrpc.getServiceDescriptor(),
          MarketDataServiceGrpc.getServiceDescriptor(),
          OptimizationServiceGrpc.getServiceDescriptor(),
          PortfolioServiceGrpc.getServiceDescriptor(),
          ReallocationServiceGrpc.getServiceDescriptor(),
          RiskServiceGrpc.getServiceDescriptor(),
          StrategyServiceGrpc.getServiceDescriptor());

  @Test
  void bothClientsHaveEveryMethodWithOneAnswer() {
    for (Class<?> client : List.of(AbsFinanceClient.class, AsyncAbsFinanceClient.class)) {
      Set<String> there =
          Arrays.stream(client.getMethods()).map(java.lang.reflect.Method::getName).collect(Collectors.toSet());
      List<String> missing =
          methods()
              .filter(method -> method.getType() == MethodDescriptor.MethodType.UNARY)
              .map(method -> lowerFirst(method.getBareMethodName()))
              .filter(name -> !there.contains(name))
              .toList();
      assertEquals(List.of(), missing, client.getSimpleName());
    }
    assertTrue(methods().count() > 50);
  }

  @ParameterizedTest
  @EnumSource(value = ErrorReason.class, mode = EnumSource.Mode.EXCLUDE, names = {"UNRECOGNIZED", "ERROR_REASON_UNSPECIFIED"})
  void everyReasonHasAFamily(ErrorReason reason) {
    AbsFinanceException error = Errors.of(status(reason.name().replace("ERROR_REASON_", "")));
    assertNotEquals(AbsFinanceException.class, error.getClass());
    assertEquals(reason, error.reason());
  }

  @Test
  void aReasonOfANewerServerIsKnownByItsCode() {
    AbsFinanceException error = Errors.of(status("OF_THE_FUTURE").toBuilder().setCode(8).build());
    assertTrue(error.isRetryable());
    assertEquals(ErrorReason.UNRECOGNIZED, error.reason());
    assertEquals("OF_THE_FUTURE", error.reasonName());
    assertEquals(Optional.of(Duration.ofMillis(1500)), error.retryAfter());
  }

  @Test
  void tensorsOfEveryElementType() {
    ByteBuffer eight = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    eight.putDouble(1.5).putDouble(Double.NaN).putDouble(-2).putDouble(4);
    Tensor.Builder tensor = Tensor.newBuilder().addShape(2).addShape(2).setDtype(DataType.DATA_TYPE_FLOAT64);
    double[][] rows = Tensors.rows(tensor.setData(ByteString.copyFrom(eight.array())).build());
    assertTrue(Arrays.deepEquals(new double[][] {{1.5, Double.NaN}, {-2, 4}}, rows));
    ByteBuffer four = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(-7).putInt(1 << 30);
    Tensor whole =
        Tensor.newBuilder()
            .addShape(2)
            .setDtype(DataType.DATA_TYPE_INT32)
            .setData(ByteString.copyFrom(four.array()))
            .build();
    assertTrue(Arrays.equals(new double[] {-7, 1 << 30}, Tensors.doubles(whole)));
    assertThrows(
        IllegalArgumentException.class, () -> Tensors.doubles(whole.toBuilder().setShape(0, 3).build()));
  }

  @Test
  void aTableFitsItsSymbolsAndDates() {
    List<LocalDate> dates = List.of(LocalDate.of(1970, 1, 2), LocalDate.of(1969, 12, 31));
    Table table = new Table(List.of("A", "B"), dates, new double[][] {{1, 2}, {3, 4}});
    assertTrue(Arrays.equals(new double[] {2, 4}, table.column("B")));
    assertEquals(List.of(1, -1), table.toPanel().getDatesList());
    assertEquals(List.of(1.0, 2.0, 3.0, 4.0), table.toPanel().getValuesList());
    assertThrows(IllegalArgumentException.class, () -> new Table(List.of("A"), dates, new double[][] {{1}}));
  }

  private static Status status(String reason) {
    RetryInfo.Builder retry = RetryInfo.newBuilder();
    retry.getRetryDelayBuilder().setSeconds(1).setNanos(500_000_000);
    return Status.newBuilder()
        .setCode(2)
        .addDetails(Any.pack(ErrorInfo.newBuilder().setReason(reason).build()))
        .addDetails(Any.pack(retry.build()))
        .build();
  }

  private static Stream<MethodDescriptor<?, ?>> methods() {
    return SERVICES.stream().flatMap(service -> service.getMethods().stream());
  }

  private static String lowerFirst(String name) {
    return name.substring(0, 1).toLowerCase() + name.substring(1);
  }
}
