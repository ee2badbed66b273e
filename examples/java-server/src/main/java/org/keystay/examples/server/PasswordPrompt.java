package org.keystay.examples.server;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks for a password, and gives up when nobody types one in time. */
final class PasswordPrompt {
  private PasswordPrompt() {}

  static char[] ask(String prompt, Duration timeout) throws IOException {
    FutureTask<char[]> answer = new FutureTask<>(() -> read(prompt));
    Thread reader = new Thread(answer, "password-prompt");
    reader.setDaemon(true);
    reader.start();
    try {
      char[] password = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (password == null || password.length == 0) {
        throw new IOException("no password was typed; the server does not start");
      }
      return password;
    } catch (TimeoutException e) {
      throw new IOException(
          "no password was typed within " + timeout.toSeconds() + " s; the server does not start");
    } catch (ExecutionException e) {
      throw new IOException("the password cannot be read: " + e.getCause().getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for the password");
    }
  }

  private static char[] read(String prompt) throws IOException {
    Console console = System.console();
    if (console != null && System.getenv("TERM") != null) {
      return console.readPassword("%s", prompt);
    }
    System.err.print(prompt);
    String line = new BufferedReader(new InputStreamReader(System.in)).readLine();
    return line == null ? null : line.toCharArray();
  }
}
