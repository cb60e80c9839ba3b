package com.example.absfinance;

import com.example.absfinance.v1.GetBacktestSeriesResponse;
import com.example.absfinance.v1.GetPricesResponse;
import com.example.absfinance.v1.Panel;
import com.example.absfinance.v1.Tensor;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A table of dates by symbols, such as prices or weights.
 *
 * @param symbols the columns; a series that is not by asset has one, "value"
 * @param dates the dates of the rows
 * @param values the values, dates by symbols; NaN where there is none
 */
public record Table(List<String> symbols, List<LocalDate> dates, double[][] values) {
  public Table {
    symbols = List.copyOf(symbols);
    dates = List.copyOf(dates);
    if (values.length != dates.size()) {
      throw new IllegalArgumentException(values.length + " rows for " + dates.size() + " dates");
    }
    for (double[] row : values) {
      if (row.length != symbols.size()) {
        throw new IllegalArgumentException(row.length + " values in a row for " + symbols.size() + " symbols");
      }
    }
  }

  /** The values of one column. */
  public double[] column(String symbol) {
    int index = symbols.indexOf(symbol);
    if (index < 0) {
      throw new IllegalArgumentException("there is no column " + symbol);
    }
    double[] column = new double[values.length];
    for (int row = 0; row < column.length; row++) {
      column[row] = values[row][index];
    }
    return column;
  }

  /** The form that requests take. */
  public Panel toPanel() {
    Panel.Builder panel = Panel.newBuilder().addAllSymbols(symbols);
    dates.forEach(date -> panel.addDates(Math.toIntExact(date.toEpochDay())));
    for (double[] row : values) {
      for (double value : row) {
        panel.addValues(value);
      }
    }
    return panel.build();
  }

  static Table ofPrices(Iterator<GetPricesResponse> parts) {
    Assembler assembler = new Assembler();
    parts.forEachRemaining(
        part -> {
          if (part.hasHeader()) {
            assembler.header(part.getHeader().getSymbolsList());
          } else {
            assembler.rows(part.getRows().getDatesList(), part.getRows().getValues());
          }
        });
    return assembler.table();
  }

  static Table ofSeries(Iterator<GetBacktestSeriesResponse> parts) {
    Assembler assembler = new Assembler();
    parts.forEachRemaining(
        part -> {
          if (part.hasHeader()) {
            assembler.header(part.getHeader().getSymbolsList());
          } else {
            assembler.rows(part.getRows().getDatesList(), part.getRows().getValues());
          }
        });
    return assembler.table();
  }

  /** Joins a table that arrives in parts. */
  private static final class Assembler {
    private List<String> symbols = List.of("value");
    private final List<LocalDate> dates = new ArrayList<>();
    private final List<double[]> rows = new ArrayList<>();

    void header(List<String> sent) {
      symbols = sent.isEmpty() ? symbols : sent;
    }

    void rows(List<Integer> days, Tensor values) {
      days.forEach(day -> dates.add(LocalDate.ofEpochDay(day)));
      rows.addAll(List.of(Tensors.rows(values)));
    }

    Table table() {
      return new Table(symbols, dates, rows.toArray(new double[0][]));
    }
  }
}
