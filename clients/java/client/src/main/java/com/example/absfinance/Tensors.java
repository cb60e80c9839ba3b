package com.example.absfinance;

import com.example.absfinance.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Decodes pieces of arrays. */
public final class Tensors {
  private Tensors() {}

  /**
   * The elements, row by row, of any element type. Integers above 2^53 lose their last digits.
   *
   * @throws IllegalArgumentException if the number of bytes does not fit the shape
   */
  public static double[] doubles(Tensor tensor) {
    int count = Math.toIntExact(tensor.getShapeList().stream().reduce(1L, Math::multiplyExact));
    ByteBuffer data = tensor.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    int width =
        switch (tensor.getDtype()) {
          case DATA_TYPE_FLOAT64, DATA_TYPE_INT64 -> Long.BYTES;
          case DATA_TYPE_FLOAT32, DATA_TYPE_INT32 -> Integer.BYTES;
          case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED ->
              throw new IllegalArgumentException("a tensor has an unknown element type");
        };
    if (data.remaining() != (long) width * count) {
      throw new IllegalArgumentException("a tensor has " + data.remaining() + " bytes for " + count + " elements");
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (tensor.getDtype()) {
            case DATA_TYPE_FLOAT64 -> data.getDouble();
            case DATA_TYPE_FLOAT32 -> data.getFloat();
            case DATA_TYPE_INT64 -> data.getLong();
            default -> data.getInt();
          };
    }
    return values;
  }

  /**
   * The rows of a matrix. A tensor of one axis is a column.
   *
   * @throws IllegalArgumentException if it has more than two axes, or its bytes do not fit
   */
  public static double[][] rows(Tensor tensor) {
    if (tensor.getShapeCount() < 1 || tensor.getShapeCount() > 2) {
      throw new IllegalArgumentException("a tensor of " + tensor.getShapeCount() + " axes is no matrix");
    }
    int columns = tensor.getShapeCount() == 1 ? 1 : Math.toIntExact(tensor.getShape(1));
    double[] values = doubles(tensor);
    double[][] rows = new double[Math.toIntExact(tensor.getShape(0))][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
    }
    return rows;
  }
}
