// SPDX-License-Identifier: Apache-2.0

import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.domain.State;
import io.dapr.client.domain.StateOptions;
import io.dapr.exceptions.DaprException;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * An order service's state, on Dapr's own SDK. Nothing here knows that the
 * store is state.cpp: the component's file says it.
 */
public final class Orders {
  private static final String STORE = "statestore";
  private static final String KEY = "order-1";
  private static final int CLERKS = 8;

  /** A save with an ETag replaces that very version or is refused. */
  private static final StateOptions FIRST_WRITE =
      new StateOptions(null, StateOptions.Concurrency.FIRST_WRITE);

  /** Public fields are what the SDK's JSON has. */
  public static final class Order {
    public String item;
    public int count;

    public Order() {}

    Order(String item, int count) {
      this.item = item;
      this.count = count;
    }

    @Override
    public String toString() {
      return "{\"item\":\"" + item + "\",\"count\":" + count + "}";
    }
  }

  private final DaprClient dapr;

  private Orders(DaprClient dapr) {
    this.dapr = dapr;
  }

  public static void main(String[] args) throws Exception {
    // Where daprd is comes from DAPR_GRPC_PORT, which `dapr run` sets.
    try (DaprClient dapr = new DaprClientBuilder().build()) {
      new Orders(dapr).run();
    }
  }

  private void run() throws Exception {
    // The store sees the key as `<app id>||order-1`: by default each app has
    // its keys to itself. After an hour the value is gone.
    Order first = new Order("tea", 1);
    dapr.saveState(STORE, KEY, null, first, Map.of("ttlInSeconds", "3600"), null).block();
    System.out.println("saved    " + KEY + " = " + first + " for an hour");

    State<Order> read = read();
    System.out.println("read     " + KEY + " = " + read.getValue());

    Order second = new Order("tea", 2);
    if (!replace(second, read.getEtag())) {
      throw new IllegalStateException("nobody else was there, and yet there was a conflict");
    }
    System.out.println("updated  " + KEY + " = " + second + " under its ETag");

    // That version is gone.
    if (replace(second, read.getEtag())) {
      throw new IllegalStateException("a stale ETag was accepted");
    }
    System.out.println("refused  " + KEY + " under its stale ETag");

    addTogether();
    System.out.println("together " + CLERKS + " clerks added one each: "
        + KEY + " = " + read().getValue());

    // A missing key is no error: it reads as null.
    dapr.deleteState(STORE, KEY).block();
    System.out.println("deleted  " + KEY + " = " + read().getValue());
  }

  /** The value and the ETag that names this version of it. */
  private State<Order> read() {
    return dapr.getState(STORE, KEY, Order.class).block();
  }

  /** False where somebody has written the key since it was read. */
  private boolean replace(Order next, String etag) {
    try {
      dapr.saveState(STORE, KEY, etag, next, FIRST_WRITE).block();
      return true;
    } catch (DaprException error) {
      if (error.getErrorCode().equals("ABORTED")) {
        return false;
      }
      throw error; // not a conflict: to try again would not help
    }
  }

  /**
   * Reads, changes, replaces; after a conflict once more, from the read on. Of
   * those that try at once one gets through, so that none tries more often than
   * there are others.
   */
  private Void addOne() {
    for (int attempt = 0; attempt < CLERKS; attempt++) {
      State<Order> read = read();
      Order order = read.getValue();
      order.count++;
      if (replace(order, read.getEtag())) {
        return null;
      }
    }
    throw new IllegalStateException(KEY + ": still in conflict after " + CLERKS + " tries");
  }

  /** What a service does all day: many change one value, and no change is lost. */
  private void addTogether() throws Exception {
    ExecutorService clerks = Executors.newFixedThreadPool(CLERKS);
    try {
      Callable<Void> addOne = this::addOne;
      for (Future<Void> one : clerks.invokeAll(Collections.nCopies(CLERKS, addOne))) {
        one.get();
      }
    } finally {
      clerks.shutdown();
    }
  }
}
