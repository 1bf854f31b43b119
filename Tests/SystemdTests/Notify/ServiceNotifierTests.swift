import Foundation
import Glibc
import Systemd
import TestHosts
import Testing

@Suite struct ServiceNotifierTests {
  /// In a process of its own: libsystemd reads the environment, which other tests must not see change.
  @Test func theServiceManagerIsTold() async {
    await #expect(processExitsWith: .success) {
      let path = FileManager.default.temporaryDirectory.appending(path: "notify-\(getpid())").path
      let manager = try DatagramSocket(path: path)
      unsafe setenv("NOTIFY_SOCKET", path, 1)
      let text = { String(decoding: manager.receive() ?? [], as: UTF8.self) }
      #expect(ServiceNotifier.ready(status: "walking the referrals"))
      #expect(text() == "READY=1\nSTATUS=walking the referrals")
      #expect(ServiceNotifier.reloading())
      let reloading = text().split(separator: "\n")
      #expect(reloading.count == 2 && reloading.first == "RELOADING=1")
      #expect(Int(reloading.last?.dropFirst("MONOTONIC_USEC=".count) ?? "") ?? 0 > 0)
      #expect(ServiceNotifier.watchdog())
      #expect(text() == "WATCHDOG=1")
      #expect(ServiceNotifier.extendTimeout(by: .milliseconds(1_500), status: "opening the ledger"))
      #expect(text() == "EXTEND_TIMEOUT_USEC=1500000\nSTATUS=opening the ledger")
      #expect(ServiceNotifier.status("a\nMAINPID=1"))
      #expect(text() == "STATUS=a\\nMAINPID=1")
      #expect(ServiceNotifier.stopping())
      #expect(text() == "STOPPING=1")
    }
  }

  @Test func withoutASocketNothingIsSaid() async {
    await #expect(processExitsWith: .success) {
      unsafe unsetenv("NOTIFY_SOCKET")
      #expect(!ServiceNotifier.ready() && !ServiceNotifier.watchdog())
      unsafe setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1)
      #expect(!ServiceNotifier.ready())
    }
  }

  @Test func theWatchdogIsForThisProcess() {
    let interval = { ServiceNotifier.watchdogInterval(environment: $0, processID: 7) }
    #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
    #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]) == .seconds(30))
    #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
    #expect(interval(["WATCHDOG_USEC": "0"]) == nil && interval(["WATCHDOG_USEC": "x"]) == nil && interval([:]) == nil)
  }
}
