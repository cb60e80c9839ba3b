import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.AbsFinanceException;
import com.example.absfinance.ClientOptions;
import com.example.absfinance.Table;
import com.example.absfinance.v1.BacktestRequest;
import com.example.absfinance.v1.EqualWeight;
import com.example.absfinance.v1.ListPortfoliosRequest;
import com.example.absfinance.v1.Strategy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A call and a stream over an encrypted connection with an API key. Arguments: address, key, authority, certificate, private key. */
public class Secured {
  public static void main(String[] args) {
    String address = args[0];
    String key = args[1];
    Path authority = Path.of(args[2]);
    var identity = new ClientOptions.Identity(Path.of(args[3]), Path.of(args[4]));
    var both = new ClientOptions.Tls(Optional.of(authority), Optional.of(identity));
    ClientOptions plain = ClientOptions.of(address).withDeadline(Duration.ofSeconds(20));

    double[][] prices = {{100, 50}, {101, 49}, {103, 51}, {102, 52}};
    List<LocalDate> dates = Stream.iterate(LocalDate.of(2024, 1, 2), day -> day.plusDays(1)).limit(prices.length).toList();
    BacktestRequest request =
        BacktestRequest.newBuilder()
            .setPrices(new Table(List.of("A", "B"), dates, prices).toPanel())
            .setStrategy(Strategy.newBuilder().setLabel("equal").setEqualWeight(EqualWeight.getDefaultInstance()))
            .build();
    try (var client = AbsFinanceClient.connect(plain.withTls(both).withToken(() -> key));
        var events = client.watchBacktest(client.backtest(request).getName())) {
      events.forEachRemaining(
          event -> {
            if (event.hasFinished()) {
              System.out.println("key: " + event.getFinished().getState());
            }
          });
    }
    System.out.println("nobody: " + refused(plain.withTls(both)));
    System.out.println("unknown authority: "
        + refused(plain.withTls(new ClientOptions.Tls(Optional.empty(), Optional.of(identity))).withToken(key)));
    System.out.println("no certificate: " + refused(plain.withTls(authority).withToken(key)));
    System.out.println("clear text: " + refused(plain.withToken(key)));
  }

  private static String refused(ClientOptions options) {
    try (var client = AbsFinanceClient.connect(options)) {
      client.listPortfolios(ListPortfoliosRequest.getDefaultInstance());
      return "answered";
    } catch (AbsFinanceException error) {
      return error.getClass().getSimpleName() + " " + error.reasonName();
    }
  }
}
