package com.example.absfinance.examples;

import com.example.absfinance.Table;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Prices that the examples bring along: they need no data on the server. */
final class SampleMarket {
  private static final List<String> SYMBOLS = List.of("BONDS", "GOLD", "STOCKS");
  private static final double[] DAILY_RETURN = {0.0001, 0.0002, 0.0004};
  private static final double[] DAILY_VOLATILITY = {0.003, 0.009, 0.011};
  private static final LocalDate FIRST = LocalDate.of(2020, 1, 1);

  private SampleMarket() {}

  /** Random prices of three assets, the same each time. */
  static Table prices(int days) {
    Random random = new Random(7);
    List<LocalDate> dates = new ArrayList<>();
    double[][] values = new double[days][];
    double[] last = {100, 100, 100};
    for (int day = 0; day < days; day++) {
      dates.add(FIRST.plusDays(day));
      values[day] = last.clone();
      for (int asset = 0; asset < last.length; asset++) {
        last[asset] *= 1 + DAILY_RETURN[asset] + DAILY_VOLATILITY[asset] * random.nextGaussian();
      }
    }
    return new Table(SYMBOLS, dates, values);
  }
}
