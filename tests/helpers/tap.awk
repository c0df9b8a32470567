# SPDX-License-Identifier: Apache-2.0
# Counts one TAP stream, of cmocka or bats. With -v status=N, the exit status of what printed it.
# Prints "PASSED FAILED SKIPPED"; with -v show=failed the lines of the tests that failed instead,
# with -v show=skipped the skipped ones. Tests that were planned and never reported have failed; so
# has a stream that ends with a status of its own although no test in it failed.

# cmocka prints a skipped test as "not ok N # SKIP name", and skip_because() of bk_test.h the reason
# before it; bats prints "ok N name # skip reason"
/^# skip: / { reason = ": " substr($0, 9); next }
/^(not )?ok[ \t]+[0-9]+.*#[ \t]*[Ss][Kk][Ii][Pp]/ {
	skipped++
	showing = 0
	if (show == "skipped")
		print $0 reason
	reason = ""
	next
}
# TAP's word for what is known to fail
/^not ok[ \t].*#[ \t]*TODO/ {
	skipped++
	showing = 0
	if (show == "skipped")
		print
	next
}
/^ok[ \t]/ { passed++; showing = 0; next }
/^not ok[ \t]/ {
	failed++
	showing = show == "failed"
	if (showing)
		print
	next
}
/^1\.\.[0-9]+/ { split($1, plan, "[.][.]"); planned += plan[2]; next }
showing

END {
	missing = planned - passed - failed - skipped
	if (missing > 0)
		failed += missing
	if (!failed && status + 0 != 0 && status + 0 != 77) {
		failed = 1
		ended = 1
	}
	if (show == "") {
		print passed + 0, failed + 0, skipped + 0
	} else if (show == "failed") {
		if (missing > 0)
			printf "# %d tests never reported (exit status %s)\n", missing, status
		if (ended)
			printf "# ended with status %s\n", status
	}
}
