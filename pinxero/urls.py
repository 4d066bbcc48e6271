"""All URLs of Pinxero."""

from django.contrib import admin
from django.urls import include, path

from pinxero import views

handler403 = "pinxero.views.forbidden"
handler404 = "pinxero.views.not_found"
handler500 = "pinxero.views.failed"

urlpatterns = [
    path("", views.home, name="home"),
    path("team/", views.choose_team, name="choose_team"),
    path("guide/", views.guide, name="guide"),
    path("guide/images/<str:picture>", views.guide_picture, name="guide_picture"),
    path("guide/<slug:guide>/", views.guide_page, name="guide_page"),
    path("", include("integrations.urls")),
    path("", include("workflows.urls")),
    path("api/", include("workflows.api.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("pinxero.sign_in.urls")),
]
