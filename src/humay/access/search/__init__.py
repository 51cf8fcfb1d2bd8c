"""The compiled search: when places, or every line of sweeps, are within their limits.

`tables` lays an orbit and the sky out for it, `programs` turns trees of conditions into arrays,
`approaches` finds each pass over each place, `windows` what is left of a pass, `rows` how it looks.
"""
