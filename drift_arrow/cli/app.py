"""The commands of `drift-cli`, in the order in which its help lists them."""

from __future__ import annotations

import typer

from drift_arrow.cli.commands import (
    add,
    create,
    demo,
    doctor,
    drift,
    drop,
    export,
    heal,
    import_,
    inspect,
    recall,
    restore,
    search,
    serve,
    sql,
    stats,
    tag,
    verify,
    versions,
    warmup,
)
from drift_arrow.cli.commands import list as list_
from drift_arrow.cli.failures import OneLineErrors

app = typer.Typer(
    cls=OneLineErrors,
    help="Vector collections that stay accurate while their data drifts.",
    epilog=f"New here? {'drift-cli demo'} shows everything on real vectors in less than a minute.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo", epilog=demo.EPILOG)(demo.demo)
app.command("create", epilog=create.EPILOG)(create.create)
app.command("add", epilog=add.EPILOG)(add.add)
app.command("search", epilog=search.EPILOG)(search.search)
app.command("sql", epilog=sql.EPILOG)(sql.sql)
app.command("export", epilog=export.EPILOG)(export.export)
app.command("import", epilog=import_.EPILOG)(import_.import_)
app.command("stats", epilog=stats.EPILOG)(stats.stats)
app.command("inspect", epilog=inspect.EPILOG)(inspect.inspect)
app.command("drift", epilog=drift.EPILOG)(drift.drift)
app.command("recall", epilog=recall.EPILOG)(recall.recall)
app.command("heal", epilog=heal.EPILOG)(heal.heal)
app.command("verify", epilog=verify.EPILOG)(verify.verify)
app.command("doctor", epilog=doctor.EPILOG)(doctor.doctor)
app.command("versions", epilog=versions.EPILOG)(versions.versions)
app.command("tag", epilog=tag.EPILOG)(tag.tag)
app.command("restore", epilog=restore.EPILOG)(restore.restore)
app.command("list", epilog=list_.EPILOG)(list_.list_collections)
app.command("drop", epilog=drop.EPILOG)(drop.drop)
app.command("serve", epilog=serve.EPILOG)(serve.serve)
app.command("warmup", epilog=warmup.EPILOG)(warmup.warmup)
