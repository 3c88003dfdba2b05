"""What Python programs have of envcheck: each command as a function, its options as arguments, its answer as a value.

    from envcheck import check

    report = check("environment.yml")

All of it is had from the package itself (``from envcheck import check``), under names that stay. The commands go
through the same functions.
"""
